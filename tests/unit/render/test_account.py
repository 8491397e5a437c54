"""A customer's statement of account adds up, speaks the customer's language, and shows nothing after its instant."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pypdfium2
import pytest

from pipeline.errors import SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.masters.model import Customer, Masters, Place, Seller
from pipeline.render.account import (
    Statement,
    customer_of,
    read_statement,
    render_statement,
    write_statement,
)
from tests.fixtures.invoices import DUE, ISSUED, NOW, make_lake
from tests.fixtures.pages import Seen

CUSTOMER = Customer("p-1", "Prairie <Wind>", "harbor", "America/Chicago", "USD", Place("USA"))
TWINS = {sid: replace(CUSTOMER, partner_sid=sid, name="Twin") for sid in ("p-2", "p-3")}
SELLER = Seller("harbor", "Harbor Carrier Services", email="billing@harbor.example")
MASTERS = Masters(sellers={"harbor": SELLER}, customers={"p-1": CUSTOMER} | TWINS)
INVOICE = {
    "invoice_sid": "inv-1", "seller": "harbor", "partner_sid": "p-1", "number": "HCS-2026-000001", "currency": "USD",
    "date_issued": ISSUED, "date_due": DUE,
}  # fmt: skip
LATER = DUE + timedelta(days=40)


def entry(n: int, kind: str, amount: str, days: int, **other: Any) -> dict[str, Any]:
    row = {"entry_id": n, "txn_id": str(n), "account": "receivable", "partner_sid": "p-1", "seller": "harbor"}
    at = ISSUED + timedelta(days=days)
    return row | {"kind": kind, "amount": Decimal(amount), "at": at, "currency": "USD"} | other


ENTRIES = [
    entry(1, "opening", "20.00", -1),
    entry(2, "invoice", "100.00", 0, invoice_sid="inv-1"),
    entry(3, "invoice", "-100.00", 0, invoice_sid="inv-1", account="revenue"),
    entry(4, "payment", "-50.00", 10, invoice_sid="inv-1"),
    entry(5, "invoice", "9.00", 0, partner_sid="p-2"),
]
DISPUTE = {
    "dispute_sid": "d", "invoice_sid": "inv-1", "line_no": 1, "amount": Decimal("7.00"), "status": "open",
    "opened_at": ISSUED + timedelta(days=3), "reason": "We never called there",
}  # fmt: skip


def call(n: int, at: datetime, **other: Any) -> dict[str, Any]:
    row = {"service": "call", "source": "carrierx", "dr_sid": f"c-{n}", "side": "charge", "payer_sid": "p-1"}
    rated = {"rating_status": "rated", "item_type": "toll", "currency": "USD", "date_stop": at}
    return row | rated | {"billed_seconds": Decimal(90), "amount": Decimal("0.10")} | other


CALLS = [
    call(1, datetime(2026, 5, 1, 4, 59, tzinfo=UTC)),  # the last minute of April in Chicago
    call(2, datetime(2026, 5, 1, 5, tzinfo=UTC)),
    call(3, datetime(2026, 5, 3, 5, tzinfo=UTC), item_type="bridge"),
    call(4, datetime(2026, 5, 3, 5, tzinfo=UTC), rating_status="unrated", amount=None),
    call(5, datetime(2026, 5, 3, 5, tzinfo=UTC), side="cost"),
    call(6, datetime(2026, 5, 3, 5, tzinfo=UTC), payer_sid="p-2"),
    call(7, datetime(2026, 5, 9, 5, tzinfo=UTC)),
]


def commit(lake: Lake, tables: dict[str, Sequence[dict[str, Any]]]) -> Lake:
    for name, rows in tables.items():
        label = "date=2026-05-01" if BY_NAME[name].by_day else "all"
        names = BY_NAME[name].schema.names
        full = [{column: row.get(column) for column in names} for row in rows]
        staged = lake.stage(name, label, pa.Table.from_pylist(full, schema=BY_NAME[name].schema))
        with lake.ledger.transaction() as tx:
            lake.commit(tx, [staged], at=NOW, stage="invoice")
    return lake


@pytest.fixture(scope="module")
def booked(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = make_lake(tmp_path_factory.mktemp("home"))
    return commit(lake, {
        "invoice/invoices": [INVOICE], "invoice/entries": ENTRIES, "invoice/disputes": [DISPUTE],
        "rate/calls": CALLS,
    })  # fmt: skip


def read(lake: Lake, now: datetime = LATER, **other: Any) -> Statement:
    return read_statement(lake, MASTERS, replace(CUSTOMER, **other), Path(), now)


def words(statement: Statement) -> str:
    return " ".join(" ".join(Seen(render_statement(statement)).text).replace("\xa0", " ").split())


def test_each_booking_moves_the_balance_and_the_last_is_the_accounts(booked: Lake) -> None:
    found = read(booked)
    moves = [(row["kind"], row["number"], row["amount"], row["balance"]) for row in found.bookings]
    assert moves == [
        ("opening", None, Decimal("20.00"), Decimal("20.00")),
        ("invoice", "HCS-2026-000001", Decimal("100.00"), Decimal("120.00")),
        ("payment", "HCS-2026-000001", Decimal("-50.00"), Decimal("70.00")),
    ]
    assert found.balance == Decimal("70.00")
    assert sum(amount for _, amount in found.ages) == found.balance


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "not due yet"),
        (1, "1 to 30 days"),
        (30, "1 to 30 days"),
        (31, "31 to 60 days"),
        (91, "over 90 days"),
    ],
)
def test_a_debt_ages_by_the_customers_own_days(booked: Lake, days: int, age: str) -> None:
    found = read(booked, DUE + timedelta(days=days))
    assert [(name, amount) for name, amount in found.ages if amount] == [(age, Decimal("70.00"))]
    assert found.overdue == (Decimal("70.00") if days else 0)


def test_nothing_after_its_instant_is_on_it(booked: Lake) -> None:
    found = read(booked, ISSUED + timedelta(days=1))
    assert [row["kind"] for row in found.bookings] == ["opening", "invoice"]
    assert (found.balance, found.disputes) == (Decimal("120.00"), ())


SETTLED = DISPUTE | {"status": "credited", "settled_at": LATER, "settled_reason": "You are right"}


@pytest.mark.parametrize(
    ("at", "owed", "contested", "status"),
    [
        pytest.param(ISSUED, ["20.00", "100.00"], "0", None, id="before the payment"),
        pytest.param(ISSUED + timedelta(days=9), ["20.00", "100.00"], "7.00", "open", id="contested by then"),
        pytest.param(DUE, ["70.00"], "7.00", "open", id="paid in part by then, not settled yet"),
        pytest.param(LATER, ["70.00"], "0", "credited", id="settled by then"),
    ],
)
def test_what_was_open_is_that_of_its_instant(
    lake: Lake, at: datetime, owed: list[str], contested: str, status: str | None
) -> None:
    tables = {"invoice/invoices": [INVOICE], "invoice/entries": ENTRIES, "invoice/disputes": [SETTLED]}
    found = read(commit(lake, tables), at)
    assert [row["open_amount"] for row in found.owed] == [Decimal(amount) for amount in owed]
    assert sum(row["open_amount"] for row in found.owed) == found.balance
    assert found.contested == Decimal(contested)
    reasons = [(status, "You are right" if status == "credited" else None)] if status else []
    assert [(row["status"], row["settled_reason"]) for row in found.disputes] == reasons


def test_what_is_open_now_is_what_the_ageing_says(booked: Lake) -> None:
    names = "kind, number, date_due, amount, open_amount, contested"
    ageing = booked.query(f"select {names} from invoice.ageing where partner_sid = 'p-1' order by date_due")
    assert list(read(booked).owed) == ageing


def test_usage_is_that_of_the_customers_own_period_up_to_now(booked: Lake) -> None:
    found = read(booked, datetime(2026, 5, 8, tzinfo=UTC))
    assert [(used.kind, used.records, used.usage, used.amount) for used in found.used] == [
        ("bridge", 1, 90, Decimal("0.1000000000")),
        ("toll", 1, 90, Decimal("0.1000000000")),
    ]
    assert [day.date.day for day in found.days if day.amount] == [1, 3]
    assert found.days[-1].date.day == 7


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en_US",
            ["Open on your account $70.00", "$7.00", "We never called there", "Payment HCS-2026-000001"],
        ),
        ("de_DE", ["Offen auf Ihrem Kundenkonto 70,00 $", "31 bis 60 Tage", "27. Mai 2026"]),
        ("fr_FR", ["Solde de votre compte 70,00 $US", "Ce que vous contestez", "Paiement HCS-2026-000001"]),
        ("es_ES", ["70,00 US$", "Lo que impugna", "Pago HCS-2026-000001"]),
    ],
)
def test_page_speaks_the_customers_language(booked: Lake, language: str, expected: list[str]) -> None:
    shown = words(read(booked, language=language)).replace("\u202f", " ")
    assert [text for text in expected if text not in shown] == []


def test_names_are_text_and_an_empty_account_says_so(lake: Lake) -> None:
    found = read(lake)
    assert "<Wind>" not in render_statement(found)
    assert "Nothing was booked yet." in words(found)
    assert "Nothing was used yet." in words(found)


def test_a_pdf_is_made_where_the_name_ends_so(lake: Lake, tmp_path: Path) -> None:
    path = write_statement(read(lake), tmp_path / "new" / "account.pdf")
    document = pypdfium2.PdfDocument(path.read_bytes())
    text = document[0].get_textpage().get_text_bounded()
    document.close()
    assert "Statement of account" in text
    assert [p.name for p in path.parent.iterdir()] == ["account.pdf"]


@pytest.mark.parametrize(
    ("which", "why"), [("p-9", "is no customer"), ("Twin", "the name of several customers")]
)
def test_who_is_asked_for_must_be_one(which: str, why: str) -> None:
    assert customer_of(MASTERS, "p-1") == customer_of(MASTERS, "Prairie <Wind>") == CUSTOMER
    with pytest.raises(SettingsError, match=why):
        customer_of(MASTERS, which)
