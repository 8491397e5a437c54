"""Everything that can happen to an account leaves the same rows in SQLite and in PostgreSQL.

So the tests of what happens need not run on both: this one shows that it makes no difference.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.deliver.outbox import deliver
from pipeline.errors import GateError
from pipeline.invoice.adjustments import adjust
from pipeline.invoice.credit import credit
from pipeline.invoice.disputes import open_dispute, settle_dispute
from pipeline.invoice.due import accounts
from pipeline.invoice.issue import approve, drop
from pipeline.invoice.payments import pay, read_bank
from pipeline.invoice.suspense import Selection, accept, undo, write_off
from pipeline.ledger.schema import emails, metadata
from tests.fixtures.billing import ACME, BOREAL, NOON, NOW, ROOT, SALES_TAX, Desk, masters
from tests.fixtures.ledgers import on

LATER = NOW + timedelta(days=30)
FIRST = "HCS-2026-000001"
HELD = masters(
    replace(ACME, opening_balance=Decimal("7.25")), replace(BOREAL, approval="manual"), taxes=(SALES_TAX,)
)
# Where a file lies is drawn by chance, and a copy of rows is hashed with what the database calls them.
OF_THE_RUN = {"files", "commits"}
OF_MONEY = {
    *(
        "invoices",
        "invoice_items",
        "invoice_taxes",
        "entries",
        "adjustments",
        "adjustment_batches",
        "disputes",
    ),
    *(
        "adjustment_claims",
        "dispute_lines",
        "series",
        "decisions",
        "emails",
        "bounces",
        "rulings",
        "ruling_undos",
    ),
}
REPORT = """\
Content-Type: multipart/report; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; billing@acme.example
Action: failed
--b
Content-Type: text/rfc822-headers

Message-ID: {}
--b--
"""
BANK = "date,amount,reference\n2026-04-20,3.00,invoice HCS 2026 000001\n2026-04-20,1.00,who knows\n"


def live(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """A life in which every table of money is written to; what it leaves, by table."""
    desk = Desk(home, HELD)
    bob = {"payer_sid": "boreal", "partner_sid": "boreal"}
    desk.call("a", "10").call("f", "5", country_code="FRA").call("b", "8", **bob)
    desk.call("u", None, **bob).call("w", None, NOON + timedelta(days=1), **bob).commit().bill()
    _decide_suspense(desk)
    _draft_twice(desk)
    _move_money(desk, home / "bank.csv")
    _contest(desk)
    held = accounts(desk.masters, ROOT)
    adjust(desk.lake, desk.ledger, held, FIRST, Decimal("-0.25"), reason="wrong", by="ann", now=NOW)
    with pytest.raises(GateError):
        approve(desk.lake, desk.ledger, FIRST, by="ann", now=NOW)
    desk.call("late", "2", NOON + timedelta(days=30)).commit().bill(LATER)
    _come_back(desk, home / "bounces")
    tables = [table for table in metadata.sorted_tables if table.name not in OF_THE_RUN]
    return {table.name: sorted((tuple(row) for row in desk.ledger_rows(table)), key=repr) for table in tables}


def _decide_suspense(desk: Desk) -> None:
    common: dict[str, Any] = {"by": "ann", "why": "agreed", "now": NOW, "policy": ("blocked",)}
    wrong = accept(desk.lake, desk.ledger, Selection("no_rate"), limit=None, **common).ruling_id
    undo(desk.lake, desk.ledger, wrong, **common)
    write_off(desk.lake, desk.ledger, Selection(dr_sid="u"), **common)
    accept(desk.lake, desk.ledger, Selection("no_rate", partner_sid="boreal"), limit=Decimal(5), **common)


def _draft_twice(desk: Desk) -> None:
    (drafted,) = desk.bill().drafted
    drop(desk.lake, desk.ledger, drafted.invoice_sid, by="ann", now=NOW, reason="look again")
    desk.bill()
    approve(desk.lake, desk.ledger, "all", by="ann", now=NOW)


def _move_money(desk: Desk, bank: Path) -> None:
    for kind, amount in (("payment", "4"), ("refund", "1"), ("charge_back", "0.50"), ("payment", "2")):
        pay(desk.lake, desk.ledger, FIRST, Decimal(amount), by="ann", now=NOW, kind=kind)
    bank.write_text(BANK)
    read_bank(desk.lake, desk.ledger, bank, by="ann", now=NOW)
    pay(desk.lake, desk.ledger, "HCS-2026-000002", Decimal(8), by="ann", now=NOW, kind="write_off")


def _contest(desk: Desk) -> None:
    for lines, credited in (({1: Decimal(2)}, True), ({2: None}, False)):
        dispute = open_dispute(desk.lake, desk.ledger, FIRST, lines, by="ann", reason="not us", now=NOW)
        sid = dispute.dispute_sid
        settle_dispute(desk.lake, desk.ledger, sid, by="bob", reason="seen", now=NOW, credited=credited)
    credit(desk.lake, desk.ledger, FIRST, {2: Decimal(1)}, by="ann", reason="goodwill", now=NOW)


def _come_back(desk: Desk, folder: Path) -> None:
    folder.mkdir()
    how: dict[str, Any] = {"smtp_url": None, "from_email": "desk@x.example", "now": LATER}
    deliver(desk.lake, desk.ledger, **how)
    first = min(row.message_id for row in desk.ledger_rows(emails))
    (folder / "1.eml").write_text(REPORT.format(first))
    deliver(desk.lake, desk.ledger, bounces=folder, **how)


def test_a_life_leaves_the_same_rows_on_both(postgresql: str, tmp_path: Path) -> None:
    here = live(tmp_path / "sqlite")
    with on(postgresql):
        there = live(tmp_path / "postgresql")
    assert there == here
    assert {name for name, rows in here.items() if not rows} & OF_MONEY == set()
