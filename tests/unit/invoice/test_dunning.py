"""Which reminder is next for whom: politely in order, never for what is contested, paid or credited."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.invoice.credit import credit
from pipeline.invoice.disputes import open_dispute, settle_dispute
from pipeline.invoice.dunning import due_reminders
from pipeline.invoice.payments import pay
from pipeline.ledger.schema import emails
from pipeline.masters.model import ReminderLevel
from tests.fixtures.billing import ACME, NOW, SALES_TAX, Desk, masters

NUMBER = "HCS-2026-000001"
DUE = NOW + timedelta(days=14)
LEVELS = tuple(ReminderLevel(n, days, f"s{n}", f"t{n}") for n, days in ((1, 7), (2, 21), (3, 35)))


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An invoice of 10 + 5 and 0.94 of taxes."""
    taxed = masters(ACME, taxes=(SALES_TAX,))
    desk = (
        Desk(tmp_path_factory.mktemp("billed"), taxed)
        .call("a", "10")
        .call("b", "5", country_code="FRA")
        .commit()
    )
    desk.bill()
    return desk


@pytest.fixture
def desk(billed: Desk, tmp_path: Path) -> Desk:
    return billed.copied(tmp_path)


def next_one(desk: Desk, days: int) -> tuple[int, str] | None:
    """(level, amount) that is due so many days after the due date."""
    found = due_reminders(desk.lake, desk.ledger, LEVELS, now=DUE + timedelta(days=days))
    return (found[0].level.level, str(found[0].amount)) if found else None


def reminded(desk: Desk, level: int, at: datetime) -> None:
    (sid,) = {
        row[0] for row in desk.rows("select invoice_sid from invoice.invoices where number is not null")
    }
    row = {"email_sid": f"m{level}", "invoice_sid": sid, "kind": "reminder", "level": level}
    row |= {"message_id": f"<m{level}>", "recipients": "", "subject": "", "status": "sent"}
    with desk.ledger.transaction() as tx:
        tx.execute(emails.insert(), row | {"document_hash": "", "queued_at": at})


# days after the due date -> the first level that is due
DAYS = {
    "not due": (-1, None),
    "just due": (0, None),
    "a day early": (6, None),
    "on the day": (7, 1),
    "late": (60, 1),
}


@pytest.mark.parametrize(("days", "level"), DAYS.values(), ids=DAYS)
def test_the_first_reminder_comes_first(desk: Desk, days: int, level: int | None) -> None:
    assert next_one(desk, days) == (None if level is None else (level, "15.94"))


def test_levels_follow_one_another_at_their_distance(desk: Desk) -> None:
    seen = []
    for days in range(30, 80):  # the first run is late
        if found := next_one(desk, days):
            seen.append((days, found[0]))
            reminded(desk, found[0], DUE + timedelta(days=days))
    assert seen == [(30, 1), (44, 2), (58, 3)]


def test_without_levels_nobody_is_reminded(desk: Desk) -> None:
    assert due_reminders(desk.lake, desk.ledger, (), now=DUE + timedelta(days=99)) == ()


def test_what_was_paid_or_credited_is_not_asked_for(desk: Desk) -> None:
    pay(desk.lake, desk.ledger, NUMBER, Decimal("5.94"), by="ann", now=NOW)
    assert next_one(desk, 7) == (1, "10.00")
    credit(desk.lake, desk.ledger, NUMBER, {2: None}, by="ann", reason="wrong", now=NOW)
    assert next_one(desk, 7) == (1, "4.69")
    pay(desk.lake, desk.ledger, NUMBER, Decimal("4.69"), by="ann", now=NOW)
    assert next_one(desk, 7) is None


def test_what_is_contested_is_held_out_with_its_taxes_until_it_is_decided(desk: Desk) -> None:
    sid = open_dispute(desk.lake, desk.ledger, NUMBER, {1: None}, by="ann", reason="no", now=NOW).dispute_sid
    # 15.94 less 10 of 15 of it
    assert next_one(desk, 7) == (1, "5.31")
    open_dispute(desk.lake, desk.ledger, NUMBER, {2: None}, by="ann", reason="no", now=NOW)
    assert next_one(desk, 7) is None
    settle_dispute(desk.lake, desk.ledger, sid, by="bob", reason="looked", now=NOW, credited=False)
    assert next_one(desk, 7) == (1, "10.63")
