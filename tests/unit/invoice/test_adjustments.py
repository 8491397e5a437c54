"""Money that a person decided on: it waits, is billed once, bears the right taxes, and the page adds up."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.errors import GateError
from pipeline.invoice.adjustments import MANUAL, Adjustment, Batch, adjust, pending, post
from pipeline.invoice.due import accounts
from pipeline.invoice.issue import drop
from pipeline.ledger.schema import adjustment_claims
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, NOON, NOW, ROOT, SALES_TAX, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
APRIL = NOON.replace(month=4)
CALLS_TAXED = replace(SALES_TAX, items=("toll",), rate=Decimal("0.10"))


def credit(desk: Desk, amount: str, who: str = "acme", **more: str):
    held = accounts(desk.masters, ROOT)
    more = {"reason": "wrong price in March"} | more
    return adjust(desk.lake, desk.ledger, held, who, Decimal(amount), by="Ann", now=NOW, **more)


def lines(desk: Desk, *columns: str) -> list[tuple]:
    return desk.rows(f"select {', '.join(columns)} from invoice.items order by invoice_sid, line_no")


def test_an_adjustment_is_a_line_of_the_next_invoice_and_waits_no_more(tmp_path):
    desk = Desk(tmp_path).call("a", "1.00").commit()
    credit(desk, "-0.25")
    desk.bill()
    desk.call("b", "2.00", APRIL).commit().bill(MAY)

    assert desk.rows("select description, amount from invoice.items order by amount") == [
        ("Adjustment: wrong price in March", Decimal("-0.25")),
        ("Outbound calls to DEU", Decimal("1.00")),
        ("Outbound calls to DEU", Decimal("2.00")),
    ]
    assert desk.rows("select amount from invoice.invoices order by amount") == [
        (Decimal("0.75"),),
        (Decimal("2.00"),),
    ]
    with desk.ledger.read() as tx:
        assert pending(tx) == {}


def test_it_makes_an_invoice_of_its_own_where_nothing_else_is_due(tmp_path):
    desk = Desk(tmp_path).commit()
    credit(desk, "5.00")
    report = desk.bill()

    assert [(b.amount, b.amount_due) for b in report.invoices] == [(Decimal("5.00"), Decimal("5.00"))]


def test_what_a_dropped_draft_took_waits_again(tmp_path):
    desk = Desk(tmp_path, masters(replace(ACME, approval="manual"))).call("a", "1.00").commit()
    credit(desk, "-0.25")
    (drafted,) = desk.bill().invoices
    drop(desk.lake, desk.ledger, drafted.invoice_sid, by="Ann", now=NOW)

    assert desk.ledger_rows(adjustment_claims) == []
    assert desk.bill().invoices[0].amount == Decimal("0.75")


@pytest.mark.parametrize(
    ("taxed_as", "tax"),
    [("toll", "0.08"), ("did", "0.10"), ("", "0.10")],
    ids=["calls", "numbers", "nothing"],
)
def test_it_bears_the_taxes_of_what_it_corrects(tmp_path, taxed_as, tax):
    desk = Desk(tmp_path, masters(ACME, taxes=(CALLS_TAXED,))).call("a", "1.00").commit()
    credit(desk, "-0.25", taxed_as=taxed_as)
    (billed,) = desk.bill().invoices

    assert (billed.amount, billed.amount_tax) == (Decimal("0.75"), Decimal(tax))


def test_it_names_the_invoice_that_it_corrects(tmp_path):
    desk = Desk(tmp_path).call("a", "1.00").commit()
    (first,) = desk.bill().invoices
    credit(desk, "-0.25", first.number, reason="agreed by phone")
    desk.bill(MAY)

    assert desk.rows(
        'select description, of_invoice_sid, reason, "by", amount, line_no from invoice.adjustments'
    ) == [
        (
            f"Adjustment to {first.number}: agreed by phone",
            first.invoice_sid,
            "agreed by phone",
            "Ann",
            Decimal("-0.25"),
            1,
        )
    ]


def test_the_statement_adds_up_with_it(tmp_path):
    desk = Desk(tmp_path).call("a", "1.004").commit()
    credit(desk, "-0.25")
    desk.bill()
    statement = make_statement(desk.lake, desk.ledger)

    found = [line.money for line in statement.lines if line.what == "adjustments"]
    assert (found, statement.differences) == ([Decimal("-0.25")], ())
    assert desk.rows(shipped("sql", "check", "claims_sum_to_items.sql").read_text()) == []


@pytest.mark.parametrize(
    ("amount", "more", "said"),
    [
        ("0", {}, "is not 0"),
        ("0.001", {}, "at most 2 decimals"),
        ("NaN", {}, "at most 2 decimals"),
        ("1", {"reason": " "}, "needs a reason"),
        ("1", {"who": "nobody"}, "no invoice and no customer nobody"),
    ],
)
def test_what_cannot_be_posted_says_why_and_leaves_nothing(tmp_path, amount, more, said):
    desk = Desk(tmp_path).commit()
    with pytest.raises(GateError, match=said):
        credit(desk, amount, **more)

    with desk.ledger.read() as tx:
        assert pending(tx) == {}


def test_one_decision_is_posted_once(tmp_path):
    desk = Desk(tmp_path).commit()
    batch = Batch("whatif-1", MANUAL, "Ann", NOW, "why")
    made = [Adjustment("acme", "house", "USD", "x", Decimal(1))]
    with desk.ledger.transaction() as tx:
        post(tx, batch, made)

    said = r"whatif-1 was posted by Ann on 2026-04-03 06:00"
    with pytest.raises(GateError, match=said), desk.ledger.transaction() as tx:
        post(tx, batch, made)
