"""Money on an account: payments, refunds, charge-backs, write-offs, a bank's list, and what stays open."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.invoice_status import MOVES, may_move
from pipeline.errors import GateError, MasterError
from pipeline.invoice.banklist import BankLayout
from pipeline.invoice.payments import BankReport, pay, read_bank
from pipeline.ledger.schema import decisions, entries, invoices
from tests.fixtures.billing import ACME, BOREAL, NOW, Desk, masters

LATER = NOW + timedelta(days=20)


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = (
        Desk(tmp_path_factory.mktemp("billed"), masters(ACME, BOREAL))
        .call("a", "10")
        .call("b", "7", payer_sid="boreal")
        .commit()
    )
    desk.bill()
    return desk


@pytest.fixture
def desk(billed: Desk, tmp_path: Path) -> Desk:
    return billed.copied(tmp_path)


def number(desk: Desk, partner: str = "acme") -> str:
    return next(row.number for row in desk.ledger_rows(invoices) if row.partner_sid == partner)


def status(desk: Desk) -> str:
    return next(row.status for row in desk.ledger_rows(invoices) if row.partner_sid == "acme")


def book(desk: Desk, amount: str, kind: str = "payment", who: str | None = None) -> str:
    paid = pay(desk.lake, desk.ledger, who or number(desk), Decimal(amount), by="ann", now=LATER, kind=kind)
    return str(paid.balance)


# what happens on an invoice of 10.00 -> the balance after each, the status at the end
LIVES = [
    ([("payment", "10")], ["0.00"], "complete"),
    ([("payment", "4")], ["6.00"], "open"),
    ([("payment", "10"), ("charge_back", "10")], ["0.00", "10.00"], "open"),
    ([("payment", "10"), ("charge_back", "10"), ("payment", "10")], ["0.00", "10.00", "0.00"], "complete"),
    ([("payment", "15"), ("refund", "5")], ["-5.00", "0.00"], "complete"),
    ([("payment", "4"), ("write_off", "6")], ["6.00", "0.00"], "uncollectable"),
]


@pytest.mark.parametrize(
    ("steps", "balances", "end"), LIVES, ids=[str([k for k, _ in s]) for s, _, _ in LIVES]
)
def test_what_happens_to_an_invoice(desk: Desk, steps: list, balances: list, end: str) -> None:
    assert [book(desk, amount, kind) for kind, amount in steps] == balances
    assert status(desk) == end


def test_every_transaction_sums_to_zero_and_is_in_the_journal(desk: Desk) -> None:
    for kind in ("payment", "refund", "charge_back", "write_off"):
        book(desk, "1", kind)
    sums = desk.lake.query("select txn_id from invoice.entries group by txn_id having sum(amount) <> 0")
    assert sums == []
    assert len(desk.lake.query("from invoice.entries")) == len(desk.ledger_rows(entries))


def test_a_write_off_names_an_invoice_and_goes_on_record(desk: Desk) -> None:
    with pytest.raises(GateError, match="names the invoice that is given up"):
        book(desk, "1", "write_off", who="acme")
    book(desk, "10", "write_off")
    assert [(d.by, d.what, d.subject) for d in desk.ledger_rows(decisions)] == [
        ("ann", "write_off", number(desk))
    ]


def test_no_move_but_the_allowed_ones() -> None:
    assert {status for moves in MOVES.values() for status in moves} <= set(MOVES)
    assert not may_move("complete", "reviewing")
    assert not may_move("reviewing", "uncollectable")
    assert all(may_move(status, status) for status in MOVES)


def bank(tmp_path: Path, *rows: str, header: str = "date,amount,reference") -> Path:
    path = tmp_path / "bank.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def read(desk: Desk, path: Path, **layout: Any) -> BankReport:
    return read_bank(desk.lake, desk.ledger, path, by="ann", now=LATER, layout=BankLayout(**layout))


def test_a_banks_list_is_booked_once_and_the_rest_is_left_for_a_person(desk: Desk, tmp_path: Path) -> None:
    mine, other = number(desk), number(desk, "boreal")
    path = bank(
        tmp_path,
        f"2026-04-10,4.00,ACME {mine} thanks",
        f"2026-04-11,6.00,{mine.replace('-', ' ').lower()}",
        "2026-04-12,3.00,happy birthday",
        f"2026-04-12,3.00,{mine} and {other}",
        f"2026-04-13,-2.00,{mine}",
        f"2026-04-13,0.001,{mine}",
    )
    report = read(desk, path)
    assert [(p.partner_sid, str(p.balance)) for p in report.booked] == [("acme", "6.00"), ("acme", "0.00")]
    assert [(row.line, row.why.split(":")[0]) for row in report.left] == [
        (4, "names no invoice"),
        (5, "names invoices of more than one account"),
        (6, "not a payment that came in"),
        (7, "is not in whole cents of USD"),
    ]
    assert status(desk) == "complete"
    again = read(desk, path)
    assert (len(again.booked), again.known, len(again.left)) == (0, 2, 4)


def test_the_same_row_twice_in_a_list_is_two_payments(desk: Desk, tmp_path: Path) -> None:
    row = f"2026-04-10,2.00,{number(desk)}"
    assert len(read(desk, bank(tmp_path, row, row)).booked) == 2
    assert len(read(desk, bank(tmp_path, row, row, row)).booked) == 1


THEIRS = {"Buchungstag": "date", "Betrag": "amount", "Verwendungszweck": "reference"}
GERMAN = {"columns": THEIRS, "date_format": "DD.MM.YYYY"}
LISTS = {
    "their names, in any order": (
        "buchungstag;Saldo;BETRAG;Verwendungszweck\n10.04.2026;x;5,00;{}\n",
        GERMAN,
    ),
    "below a title": (
        "Konto;DE00 0000\n\nBuchungstag;Betrag;Verwendungszweck\n10.04.2026;5,00;{}\n",
        GERMAN,
    ),
    "another encoding, and tabs": (
        "Buchungstag\tBetrag\tVerwendungszweck\n10.04.2026\t5,00\tM\u00fcller {}\n".encode("cp1252"),
        GERMAN | {"encoding": "cp1252", "delimiter": "tab"},
    ),
    "marked as utf-16": ("date,amount,reference\n2026-04-10,5.00,{}\n".encode("utf-16"), {}),
    "a name of theirs that is one of ours": (
        "Date,Amount,Value,Reference\n2026-01-01,5.00,10/04/2026,{}\n",
        {"columns": {"Value": "date"}, "date_format": "DD/MM/YYYY"},
    ),
    "an instant": ("date,amount,reference\n2026-04-10T09:30:00,5.00,{}\n", {}),
}


@pytest.mark.parametrize(("text", "layout"), LISTS.values(), ids=LISTS)
def test_a_banks_list_as_it_comes(
    desk: Desk, tmp_path: Path, text: str | bytes, layout: dict[str, Any]
) -> None:
    path = tmp_path / "bank.csv"
    data = text if isinstance(text, bytes) else text.encode()
    encoding = "utf-16" if data[:2] == b"\xff\xfe" else "cp1252"
    path.write_bytes(data.decode(encoding).replace("{}", number(desk)).encode(encoding))

    assert [str(p.balance) for p in read(desk, path, **layout).booked] == ["5.00"]
    notes = {row.note for row in desk.ledger_rows(entries) if row.kind == "payment"}
    assert [note[:11] for note in notes] == ["2026-04-10 "]
    assert read(desk, path, **layout).known == 1


def test_a_list_that_an_earlier_release_has_booked_is_known(desk: Desk, tmp_path: Path) -> None:
    path = bank(tmp_path, f"10.04.2026,4.00,{number(desk)}")
    (paid,) = read(desk, path, date_format="DD.MM.YYYY").booked
    content = f"10.04.2026|4|{number(desk)}|1"

    assert paid.txn_id == f"bank:{hashlib.sha256(content.encode()).hexdigest()[:40]}"


def test_a_payment_is_booked_when_it_is_read(desk: Desk, tmp_path: Path) -> None:
    read(desk, bank(tmp_path, f"2026-03-10,4.00,{number(desk)}"))

    assert {row.at for row in desk.ledger_rows(entries) if row.kind == "payment"} == {LATER}


@pytest.mark.parametrize(
    ("header", "row", "layout", "why"),
    [
        ("day,amount,reference", "2026-04-10,1,x", {}, "bank.csv has no column date: .* has 'day', 'amount'"),
        ("date,amount,reference", "2026-04-10,1.0.0,x", {}, "line 3: the amount '1.0.0' is no amount like"),
        (
            "date,amount,reference",
            '2026-04-10,"1,234",x',
            {},
            "line 3: the amount '1,234' can be read in two",
        ),
        ("date,amount,reference", "10.04.2026,1.00,x", {}, "line 3: the date '10.04.2026' is no ISO date"),
        ("date,amount,reference", "2026-13-10,,x", {}, "line 3: the date .*; line 3: the amount '' is no"),
        (
            "date,amount,reference",
            "2026-04-10,1.00,x",
            {"decimal": ","},
            "line 2: the amount '1.00' is no amount with decimals behind ','; line 3",
        ),
        (
            "date,amount,reference",
            "2026-04-10,1,x",
            {"columns": {"date": "day"}},
            "'day' is none of date, amount, ref",
        ),
        (
            "date,amount,reference",
            "2026-04-10,1,x",
            {"columns": {"a": "date", "b": "date"}},
            "date can be one column",
        ),
        ("date,amount,reference", "2026-04-10,1,x", {"encoding": "utf-99"}, "--encoding utf-99 is unknown"),
        ("date,amount,reference", "2026-04-10,1,x", {"delimiter": "dash"}, "--delimiter 'dash' is not one"),
    ],
)
def test_a_list_that_cannot_be_read_books_nothing(
    desk: Desk, tmp_path: Path, header: str, row: str, layout: dict[str, Any], why: str
) -> None:
    before = len(desk.ledger_rows(entries))
    with pytest.raises(MasterError, match=rf"{why}.*Nothing was booked"):
        read(desk, bank(tmp_path, f"2026-04-10,1.00,{number(desk)}", row, header=header), **layout)
    assert len(desk.ledger_rows(entries)) == before


def test_what_came_in_settles_the_oldest_debt_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path).call("a", "10").call("b", "5", stop=datetime(2026, 4, 15, 12, tzinfo=UTC)).commit()
    desk.bill(datetime(2026, 5, 3, 6, tzinfo=UTC))
    pay(desk.lake, desk.ledger, "acme", Decimal(12), by="ann", now=LATER)
    rows = desk.lake.query("select number, open_amount::varchar as open from invoice.ageing order by number")
    assert rows == [{"number": "HCS-2026-000002", "open": "3.00"}]


moves = st.lists(
    st.tuples(st.sampled_from(["payment", "refund", "charge_back"]), st.integers(1, 3000)), max_size=8
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_balances_are_the_sums_of_entries(
    billed: Desk, tmp_path_factory: pytest.TempPathFactory, steps: list
) -> None:
    desk = billed.copied(tmp_path_factory.mktemp("desk"))
    owed = Decimal(10)
    for kind, cents in steps:
        amount = Decimal(cents) / 100
        owed += -amount if kind == "payment" else amount
        assert Decimal(book(desk, str(amount), kind)) == owed
    (row,) = desk.lake.query(
        "select coalesce(sum(open_amount), 0)::varchar as open from invoice.ageing where partner_sid = 'acme'"
    )
    assert Decimal(row["open"]) == max(owed, Decimal(0))
