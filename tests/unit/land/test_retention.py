"""What is too old goes by whole days, unless an invoice needs it; it is said what went, and nothing is billed back."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.invoice.payments import pay
from pipeline.land.retention import Expired, expire
from pipeline.ledger.schema import commits, invoices
from pipeline.measure.statement import make_statement
from tests.fixtures.billing import NOON, NOW, Desk

LATER = datetime(2027, 11, 1, 6, tzinfo=UTC)
BEFORE = date(2027, 5, 1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two days in March, on an invoice that is issued and not paid."""
    desk = Desk(tmp_path).call("a", "5").call("b", "7", stop=NOON + timedelta(days=1)).message("m").commit()
    items = [("old", NOW), ("new", LATER)]
    desk.put(
        "land/quarantine",
        [
            {"source": "carrierx", "resource": "calls", "item_hash": h, "raw": h.encode(), "first_seen": at}
            for h, at in items
        ],
        "calls",
    )
    desk.bill()
    return desk


def settle(desk: Desk) -> None:
    for row in desk.ledger_rows(invoices):
        if row.amount_due > 0 and row.number:
            pay(desk.lake, desk.ledger, row.number, row.amount_due, note="", by="test", now=LATER)


def run(desk: Desk) -> Expired:
    return expire(desk.lake, BEFORE, source="carrierx", now=LATER)


def usage(desk: Desk) -> int:
    return sum(
        len(desk.lake.files(t)) for t in ("land/calls", "land/messages", "rate/calls", "rate/messages")
    )


def test_days_of_an_unpaid_invoice_are_kept(desk: Desk) -> None:
    """Whoever disputes the invoice can be shown every call."""
    expired = run(desk)
    assert (expired.files, expired.kept, usage(desk)) == (
        (),
        (NOON.date(), NOON.date() + timedelta(days=1)),
        6,
    )


def test_days_of_settled_invoices_are_deleted_and_named(desk: Desk) -> None:
    settle(desk)
    expired = run(desk)
    assert (expired.days, usage(desk)) == ((NOON.date(), NOON.date() + timedelta(days=1)), 0)
    notes = [row.note for row in desk.ledger_rows(commits) if row.stage == "retain"]
    assert len(notes) == 1
    assert f"land/calls {NOON.date()}: 1 rows" in notes[0]


def test_nothing_is_billed_back_and_the_statement_still_adds_up(desk: Desk) -> None:
    """That records are gone is no correction of their invoice."""
    before = make_statement(desk.lake, desk.ledger).differences
    settle(desk)
    numbers = [row.number for row in desk.ledger_rows(invoices)]
    run(desk)
    desk.bill(as_of=LATER)
    with_amounts = [
        row for row in desk.ledger_rows(invoices) if row.number not in numbers and row.amount != 0
    ]
    new = {d.rule for d in make_statement(desk.lake, desk.ledger).differences} - {d.rule for d in before}
    assert (with_amounts, new - {"new = landed"}) == ([], set())


def test_quarantined_bytes_expire(desk: Desk) -> None:
    """Only what is old goes."""
    expired = run(desk)
    assert expired.quarantined == 1
    assert desk.lake.scan("land/quarantine").select("item_hash").collect().rows() == [("new",)]


def test_deleted_bytes_leave_the_disk_a_day_later(desk: Desk) -> None:
    settle(desk)
    names = [file.path for table in ("land/calls", "rate/calls") for file in desk.lake.files(table)]
    run(desk)
    desk.lake.sweep(LATER + timedelta(days=2))
    assert [path for path in names if path.exists()] == []


def test_a_second_time_there_is_nothing_left_to_delete(desk: Desk) -> None:
    settle(desk)
    run(desk)
    assert run(desk) == Expired()
