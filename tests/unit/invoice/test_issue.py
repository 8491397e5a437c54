"""Approval, numbers, payments and dropped drafts."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import GateError
from pipeline.invoice.issue import approve, drop
from pipeline.invoice.payments import pay
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import decisions, entries, invoices
from tests.fixtures.billing import ACME, NOW, Desk, masters
from tests.fixtures.ledgers import in_processes, ledger_url

APRIL_DAY = datetime(2026, 4, 15, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
MANUAL = masters(replace(ACME, approval="manual"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, MANUAL).call("a", "10").call("b", "5", stop=APRIL_DAY).commit()


def status(desk: Desk) -> list[tuple]:
    found = sorted(desk.ledger_rows(invoices), key=lambda i: i.period_end)
    return [(i.number, i.status, str(i.balance_previous), str(i.payments), str(i.amount_due)) for i in found]


def test_approval_issues_in_the_order_of_periods(desk: Desk) -> None:
    desk.bill(MAY)
    issued = approve(desk.lake, desk.ledger, "all", by="ann", now=MAY)
    assert [i.number for i in issued] == ["HCS-2026-000001", "HCS-2026-000002"]
    assert status(desk) == [
        ("HCS-2026-000001", "open", "0.00", "0.00", "10.00"),
        ("HCS-2026-000002", "open", "10.00", "0.00", "15.00"),
    ]
    assert [(d.by, d.what) for d in desk.ledger_rows(decisions)] == [("ann", "approve")] * 2


def test_an_issued_invoice_is_dated_and_due(desk: Desk) -> None:
    desk.bill()
    approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)
    (invoice,) = desk.ledger_rows(invoices)
    assert (invoice.date_issued, invoice.date_due, invoice.approved_by) == (
        NOW,
        NOW + timedelta(days=14),
        "ann",
    )


def test_nothing_can_be_approved_twice(desk: Desk) -> None:
    desk.bill()
    (issued,) = approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)
    with pytest.raises(GateError, match="HCS-2026-000001 is issued and never changes"):
        approve(desk.lake, desk.ledger, issued.invoice_sid, by="ann", now=NOW)
    with pytest.raises(GateError, match="there is no draft nonsense"):
        approve(desk.lake, desk.ledger, "nonsense", by="ann", now=NOW)
    assert approve(desk.lake, desk.ledger, "all", by="ann", now=NOW) == ()


def test_payments_settle_the_oldest_debt_first(desk: Desk) -> None:
    desk.bill(MAY)
    approve(desk.lake, desk.ledger, "all", by="ann", now=MAY)
    first = pay(desk.lake, desk.ledger, "HCS-2026-000002", Decimal(9), by="ann", now=MAY)
    assert (first.balance, first.settled) == (Decimal("6.00"), ())
    second = pay(desk.lake, desk.ledger, "acme", Decimal("1.50"), by="ann", now=MAY, note="cheque 7")
    assert (second.balance, second.settled) == (Decimal("4.50"), ("HCS-2026-000001",))
    third = pay(desk.lake, desk.ledger, "acme", Decimal("4.50"), by="ann", now=MAY)
    assert (third.balance, third.settled) == (Decimal("0.00"), ("HCS-2026-000002",))


def test_a_payment_shows_on_the_next_invoice(desk: Desk) -> None:
    desk.bill()
    approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)
    pay(desk.lake, desk.ledger, "acme", Decimal(12), by="ann", now=NOW)
    desk.bill(MAY)
    approve(desk.lake, desk.ledger, "all", by="ann", now=MAY)
    assert status(desk) == [
        ("HCS-2026-000001", "complete", "0.00", "0.00", "10.00"),
        ("HCS-2026-000002", "open", "10.00", "12.00", "3.00"),
    ]


def test_a_credit_balance_completes_an_invoice_at_once(desk: Desk) -> None:
    desk.bill(masters=masters(replace(ACME, opening_balance=Decimal(-100))))
    assert status(desk) == [("HCS-2026-000001", "complete", "-100.00", "0.00", "0.00")]


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity"])
def test_impossible_payments_are_refused(desk: Desk, amount: str) -> None:
    desk.bill()
    with pytest.raises(GateError, match="positive and in whole cents"):
        pay(desk.lake, desk.ledger, "acme", Decimal(amount), by="ann", now=NOW)


def test_a_payment_of_nobody_is_refused(desk: Desk) -> None:
    with pytest.raises(GateError, match="no invoice and no account stranger"):
        pay(desk.lake, desk.ledger, "stranger", Decimal(1), by="ann", now=NOW)


def test_a_dropped_draft_frees_its_claims(desk: Desk) -> None:
    (billed,) = desk.bill().invoices
    drop(desk.lake, desk.ledger, billed.invoice_sid, by="ann", now=NOW, reason="wrong deck")
    assert (desk.rows("select * from invoice.claims"), desk.ledger_rows(invoices)) == ([], [])
    (again,) = desk.call("c", "1").commit().bill().invoices
    assert (again.invoice_sid, again.amount) == (billed.invoice_sid, Decimal("11.00"))


def test_an_issued_invoice_cannot_be_dropped(desk: Desk) -> None:
    (billed,) = desk.bill().invoices
    approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)
    with pytest.raises(GateError, match="tollbook credit"):
        drop(desk.lake, desk.ledger, billed.invoice_sid, by="ann", now=NOW)


def test_the_copies_in_the_lake_follow_the_ledger(desk: Desk) -> None:
    desk.bill()
    approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)
    pay(desk.lake, desk.ledger, "acme", Decimal(10), by="ann", now=NOW, note="wire")
    assert desk.rows("select number, status, company_name from invoice.invoices") == [
        ("HCS-2026-000001", "complete", "Acme Dental")
    ]
    assert desk.rows("select kind, amount, note from invoice.payments") == [
        ("payment", Decimal("-10.00"), "wire")
    ]


def _approve_one(job: tuple[str, str, str]) -> str:
    home, url, sid = job
    ledger = Ledger.open(url)
    try:
        return approve(Lake(Path(home), ledger), ledger, sid, by="ann", now=NOW)[0].number
    finally:
        ledger.close()


@pytest.mark.usefixtures("both")
def test_four_processes_number_without_gaps(tmp_path: Path) -> None:
    customers = [replace(ACME, partner_sid=f"p{n}", name=f"P{n}", approval="manual") for n in range(16)]
    desk = Desk(tmp_path, masters(*customers), {c.partner_sid: "root" for c in customers})
    for c in customers:
        desk.call(c.partner_sid, payer_sid=c.partner_sid, partner_sid=c.partner_sid)
    url = ledger_url(tmp_path)
    jobs = [(str(tmp_path), url, b.invoice_sid) for b in desk.commit().bill().invoices]
    numbers = in_processes(_approve_one, jobs)
    assert Counter(numbers) == Counter(f"HCS-2026-{n:06d}" for n in range(1, 17))
    sums = Counter()
    for entry in desk.ledger_rows(entries):
        sums[entry.txn_id] += entry.amount
    assert set(sums.values()) == {Decimal(0)}
    assert {json.loads(i.snapshot)["seller"]["series"] for i in desk.ledger_rows(invoices)} == {"HCS"}
