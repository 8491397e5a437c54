"""Every promise: the query that guards it is there, passes on what is right and finds what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from pipeline.defs.checks import PROMISES, sql
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.domain.cursor import CALLS, MESSAGES, Bookmark
from pipeline.homes import make_home
from pipeline.lake import tables as lake_tables
from pipeline.ledger import bookmarks
from pipeline.settings import load
from pipeline.shipped import shipped

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
LATER = NOW + timedelta(days=9)
BY_NAME = {p.name: p for p in PROMISES}
Row = dict[str, Any]


def row(**columns: Any) -> Row:
    return columns


def record(**changes: Any) -> Row:
    return row(source="carrierx", dr_sid="a", revision=1, date_stop=AT, date_insert=AT) | changes


def rated(**changes: Any) -> Row:
    return (
        record(side="cost", level=0, payer_sid="us", rating_status="rated", amount=Decimal(1), currency="USD")
        | changes
    )


def charge(**changes: Any) -> Row:
    return rated(side="charge", level=1, payer_sid="acme") | changes


def claim(**changes: Any) -> Row:
    held = row(invoice_sid="i1", line_no=1, service="call", source="carrierx", dr_sid="a", revision=1)
    return (
        held | row(side="charge", payer_sid="acme", date_stop=AT, amount=Decimal("1.005"), usage=60) | changes
    )


def item(**changes: Any) -> Row:
    held = row(invoice_sid="i1", line_no=1, type="toll", usage=60, records=1)
    return held | row(amount_exact=Decimal("1.005"), amount=Decimal("1.01")) | changes


def rented(**changes: Any) -> Row:
    return item(line_no=2, type="did", usage=1, amount_exact=Decimal(0), amount=Decimal(0)) | changes


def part(**changes: Any) -> Row:
    return row(invoice_sid="i1", part_no=1, line_no=2, kind="number", amount=Decimal(0)) | changes


def invoice(**changes: Any) -> Row:
    money = row(
        amount="1.01",
        amount_tax="0.06",
        balance_previous="0",
        payments="0",
        amount_due="1.07",
        balance_forward="1.07",
    )
    held = row(invoice_sid="i1", number="INV-2026-000001", status="open", currency="USD", document_hash="ab")
    held |= row(date_created=NOW)
    return held | {name: Decimal(value) for name, value in money.items()} | changes


def tax(**changes: Any) -> Row:
    return (
        row(invoice_sid="i1", line_no=1, base=Decimal("1.01"), rate=Decimal("0.0625"), amount=Decimal("0.06"))
        | changes
    )


def email(**changes: Any) -> Row:
    return row(email_sid="e1", invoice_sid="i1", kind="invoice", level=0, status="sent") | changes


def entry(account: str, amount: str, **changes: Any) -> Row:
    held = row(entry_id=1, txn_id="invoice:i1", kind="invoice", invoice_sid="i1", at=AT, account=account)
    return held | row(partner_sid="acme", seller="us", currency="USD", amount=Decimal(amount)) | changes


BOOKED = [entry("receivable", "1.07"), entry("revenue", "-1.01"), entry("tax", "-0.06")]


def right() -> dict[str, list[Row]]:
    """A month in which every promise is kept."""
    return {
        "land/calls": [record()],
        "land/messages": [record()],
        "rate/calls": [rated(), charge()],
        "rate/messages": [rated(), charge()],
        "invoice/claims": [claim()],
        "invoice/items": [item(), rented()],
        "invoice/parts": [part()],
        "invoice/invoices": [invoice()],
        "invoice/taxes": [tax()],
        "invoice/entries": BOOKED,
        "deliver/emails": [email()],
        "measure/call_hours": [row(day=AT.date(), calls=1)],
        "measure/message_days": [row(day=AT.date(), messages=1)],
        "measure/money_days": [row(day=AT.date(), records=3), row(day=AT.date(), records=1)],
    }


BROKEN = [
    ("calls_once", "land/calls", [record(), record(revision=2)]),
    ("messages_once", "land/messages", [record(), record()]),
    ("calls_accounted", "rate/calls", []),
    ("calls_accounted", "rate/calls", [rated()]),
    ("calls_accounted", "rate/calls", [rated(revision=2), charge()]),
    ("calls_accounted", "rate/calls", [rated(), charge(), rated(dr_sid="b"), charge(dr_sid="b")]),
    ("calls_accounted", "rate/calls", [rated(), charge(rating_status="unrated", amount=None)]),
    ("calls_accounted", "rate/calls", [rated(), charge(amount=None)]),
    ("calls_accounted", "rate/calls", [rated(), charge(rating_status="unrated", unrated_reason="no_rate")]),
    ("calls_accounted", "rate/calls", [rated(), charge(rating_status="free")]),
    ("messages_accounted", "rate/messages", [charge()]),
    ("balances_recomputable", "invoice/entries", []),
    ("balances_recomputable", "invoice/entries", BOOKED[:2]),
    ("balances_recomputable", "invoice/entries", [*BOOKED, *BOOKED]),
    ("balances_recomputable", "invoice/invoices", [invoice(balance_forward=Decimal("1.06"))]),
    ("claimed_once", "invoice/claims", [claim(), claim(line_no=2)]),
    ("claimed_once", "invoice/claims", [claim(), claim(invoice_sid="i2"), claim(invoice_sid="note")]),
    ("claims_sum_to_items", "invoice/items", [item(amount_exact=Decimal("1.0051"))]),
    ("claims_sum_to_items", "invoice/items", [item(records=2)]),
    ("claims_sum_to_items", "invoice/claims", []),
    ("claims_sum_to_items", "invoice/claims", [claim(), claim(line_no=0, revision=2)]),
    ("parts_sum_to_items", "invoice/parts", [part(line_no=0)]),
    ("parts_sum_to_items", "invoice/parts", [part(amount=Decimal(1))]),
    ("parts_sum_to_items", "invoice/parts", [part(), part(part_no=2)]),
    ("parts_sum_to_items", "invoice/parts", [part(), part(part_no=2, line_no=0, amount=Decimal(1))]),
    ("parts_sum_to_items", "invoice/items", [item()]),
    ("parts_sum_to_items", "invoice/items", [item(), rented(), rented(line_no=3, type="tts")]),
    ("items_sum_to_invoice", "invoice/items", [item(), item(line_no=2)]),
    ("items_sum_to_invoice", "invoice/items", [item(amount_exact=Decimal("1.0049"))]),
    ("items_sum_to_invoice", "invoice/invoices", [invoice(balance_forward=Decimal("1.06"))]),
    ("items_sum_to_invoice", "invoice/invoices", [invoice(payments=Decimal(2))]),
    ("items_sum_to_invoice", "invoice/invoices", [invoice(amount_due=Decimal(0))]),
    ("numbers_gapless", "invoice/invoices", [invoice(number="INV-2026-000002")]),
    ("numbers_gapless", "invoice/invoices", [invoice(), invoice(invoice_sid="i2")]),
    ("numbers_gapless", "invoice/invoices", [invoice(number="first")]),
    ("taxes_to_the_cent", "invoice/taxes", [tax(amount=Decimal("0.07"))]),
    ("taxes_to_the_cent", "invoice/taxes", []),
    ("taxes_to_the_cent", "invoice/taxes", [tax(rate=Decimal("0.08"))]),
    ("issued_is_mailed", "deliver/emails", []),
    ("issued_is_mailed", "deliver/emails", [email(), email(email_sid="e2")]),
    ("issued_is_mailed", "deliver/emails", [email(kind="reminder", level=1)]),
    ("issued_is_mailed", "invoice/invoices", [invoice(document_hash=None)]),
    ("rolled_up", "land/calls", []),
    ("rolled_up", "measure/call_hours", [row(day=LATER.date(), calls=1)]),
    ("rolled_up", "measure/message_days", [row(day=AT.date(), messages=2)]),
    ("rolled_up", "measure/money_days", [row(day=AT.date(), records=3)]),
]  # fmt: skip


BACK = claim(invoice_sid="note", amount=Decimal("-1.005"), usage=-60)
NOTED = [entry("receivable", "-1.07", txn_id="credit:note", kind="credit_note", invoice_sid="note")]
RENTS: dict[str, list[Row]] = {
    "invoice/items": [item(), rented(), rented(invoice_sid="i2")],
    "invoice/parts": [part(invoice_sid="i2")],
}
CORRECTED: dict[str, tuple[str, dict[str, list[Row]]]] = {
    "given back": ("claimed_once", {"invoice/claims": [claim(), BACK], "invoice/entries": NOTED}),
    "given back and billed again": (
        "claimed_once",
        {"invoice/claims": [claim(), BACK, claim(invoice_sid="i2")], "invoice/entries": NOTED},
    ),
    "a later revision that changed nothing": (
        "claims_sum_to_items",
        {"invoice/claims": [claim(), claim(line_no=0, revision=2, amount=Decimal(0), usage=0)]},
    ),
    "rent that was billed before parts were kept": (
        "parts_sum_to_items",
        RENTS | {"invoice/invoices": [invoice(), invoice(invoice_sid="i2", date_created=LATER)]},
    ),
    "rent of a home that has no parts yet": ("parts_sum_to_items", {"invoice/parts": []}),
}
TWICE = [
    ("billed again twice", [claim(), BACK, claim(invoice_sid="i2"), claim(invoice_sid="i3")]),
    ("given back twice", [claim(), BACK, BACK]),
]


def found(name: str, desk: Desk, tables: dict[str, list[Row]] | None = None) -> list[Row]:
    with desk.lake.duck() as con:
        for table, rows in (tables or {}).items():
            schema = lake_tables.BY_NAME[table].schema
            filled = [dict.fromkeys(schema.names) | held for held in rows]
            con.register("given", pa.Table.from_pylist(filled, schema=schema))
            con.execute(f"create table given_{table.replace('/', '_')} as from given")
            con.execute(
                f"create or replace view {table.replace('/', '.')} as from given_{table.replace('/', '_')}"
            )
        return BY_NAME[name].broken_by(Shift(desk), con)


@pytest.fixture(scope="module")
def one_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An empty home: what is to be checked is put before the query, not into it."""
    folder = tmp_path_factory.mktemp("checks") / "home"
    make_home(folder)
    opened = Desk.open(load(folder), now=NOW)
    yield opened
    opened.ledger.close()


def test_the_folder_holds_the_promises_that_are_named_and_no_others() -> None:
    assert {p.stem for p in shipped("sql", "check").glob("*.sql")} == {
        p.name for p in PROMISES if p.find is None
    }


@pytest.mark.parametrize("name", [p.name for p in PROMISES])
def test_a_promise_says_what_it_promises(name: str) -> None:
    assert 15 < len(BY_NAME[name].description) < 120


@pytest.mark.parametrize("name", [p.name for p in PROMISES if p.find is None])
def test_it_passes_where_all_is_right(name: str, one_desk: Desk) -> None:
    assert found(name, one_desk, right()) == []


@pytest.mark.parametrize(("name", "table", "rows"), BROKEN)
def test_it_finds_what_is_wrong(name: str, table: str, rows: list[Row], one_desk: Desk) -> None:
    assert found(name, one_desk, right() | {table: rows}) != []


@pytest.mark.parametrize(("name", "tables"), CORRECTED.values(), ids=CORRECTED)
def test_what_is_corrected_breaks_no_promise(name: str, tables: dict[str, list[Row]], one_desk: Desk) -> None:
    assert found(name, one_desk, right() | tables) == []


@pytest.mark.parametrize("claims", [rows for _, rows in TWICE], ids=[name for name, _ in TWICE])
def test_what_is_given_back_is_billed_once_more_and_not_twice(claims: list[Row], one_desk: Desk) -> None:
    tables = right() | {"invoice/claims": claims, "invoice/entries": NOTED}

    assert found("claimed_once", one_desk, tables) != []


@pytest.mark.parametrize("created", [AT, NOW], ids=["after the first parts", "in the same run"])
def test_rent_without_parts_is_wrong_since_they_are_kept(created: datetime, one_desk: Desk) -> None:
    invoices = [invoice(), invoice(invoice_sid="i2", date_created=created)]
    tables = right() | RENTS | {"invoice/invoices": invoices}

    assert found("parts_sum_to_items", one_desk, tables) != []


def test_every_query_is_proven_able_to_fail() -> None:
    assert {name for name, _, _ in BROKEN} == {p.name for p in PROMISES if p.find is None}


@pytest.mark.parametrize(
    ("mark", "columns"),
    [
        (Bookmark(), []),
        (Bookmark(newest_value=NOW + timedelta(minutes=5), swept_to=NOW), []),
        (Bookmark(newest_value=NOW + timedelta(hours=1)), ["newest_value"]),
        (Bookmark(cursor_value=LATER, swept_to=LATER), ["cursor_value", "swept_to"]),
    ],
    ids=["nothing pulled", "a clock that is a little ahead", "an hour ahead", "days ahead"],
)  # fmt: skip
@pytest.mark.parametrize("feed", [CALLS, MESSAGES], ids=lambda feed: feed.resource)
def test_a_bookmark_may_not_stand_in_the_future(
    feed: Any, mark: Bookmark, columns: list[str], desk: Desk
) -> None:
    with desk.ledger.transaction() as tx:
        bookmarks.write(tx, "carrierx", feed.resource, mark, NOW)

    assert [r["bookmark"] for r in found(f"{feed.resource}_bookmark", desk)] == columns


def test_the_statement_of_the_same_run_is_not_made_twice(desk: Desk) -> None:
    shift = Shift(desk, reports={"measure/statement": SimpleNamespace(differences=["3 records are missing"])})

    with desk.lake.duck() as con:
        assert BY_NAME["adds_up"].broken_by(shift, con) == [{"difference": "3 records are missing"}]


def test_without_one_the_statement_is_made(desk: Desk) -> None:
    assert found("adds_up", desk) == []


def test_a_broken_promise_stops_what_is_downstream(
    desk: Desk, put: Any, instance: dg.DagsterInstance
) -> None:
    """Documents do not leave while an invoice does not add up."""
    from pipeline.defs.build import build_definitions

    put("invoice/invoices", "all", [invoice(number="INV-2026-000007", date_billing_period_end=AT)])
    ran: list[str] = []
    stub = SimpleNamespace(
        lake=desk.lake, ledger=desk.ledger, settings=desk.settings, now=NOW,
        invoice=lambda: None, parked=list, render=lambda: ran.append("render"), statement=desk.statement,
    )  # fmt: skip
    shift = Shift(stub, patient=False)

    result = (
        build_definitions(shift)
        .resolve_job_def("bill")
        .execute_in_process(instance=instance, partition_key="2026-04-01", raise_on_error=False)
    )

    assert (result.success, ran, "numbers_gapless" in shift.broken) == (False, [], True)


def test_the_first_line_of_a_query_is_its_description() -> None:
    assert sql("calls_once")[1] == "no call record is landed twice"
