"""Disputes: amounts of an issued invoice that its customer contests.

A contested amount stays owed until somebody decides, but nobody is reminded of it: ``invoice.ageing`` shows it apart.
It is settled by a credit note, or rejected; either way who decided and why stays on record. A line is contested once
at a time, and for no more than remains of it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.money import add
from pipeline.errors import GateError
from pipeline.invoice.credit import CreditNote, issued_invoice
from pipeline.invoice.export import export
from pipeline.invoice.issue import Issued, on_record
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import dispute_lines, disputes

OPEN, CREDITED, REJECTED = "open", "credited", "rejected"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute that has just been opened; ``amount`` is before taxes."""

    dispute_sid: str
    number: str
    amount: Decimal
    currency: str


def open_dispute(
    lake: Lake,
    ledger: Ledger,
    which: str,
    lines: Mapping[int, Decimal | None] | None = None,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> Dispute:
    """Contests lines of an issued invoice, each whole (None) or in part; without ``lines`` all that remains.

    Raises:
        GateError: there is no such issued invoice, no reason is given, or a line is contested already.
    """
    if not reason.strip():
        msg = "a dispute says why: give a reason. Nothing was recorded."
        raise GateError(msg)
    with ledger.transaction() as tx:
        invoice = issued_invoice(tx, which)
        contested = _contested(tx, invoice, lines, by, now)
        sid = _next_sid(tx, invoice.invoice_sid)
        row = {
            "dispute_sid": sid,
            "invoice_sid": invoice.invoice_sid,
            "status": OPEN,
            "opened_at": now,
            "opened_by": by,
            "reason": reason.strip(),
        }
        tx.execute(disputes.insert(), row)
        rows = [{"dispute_sid": sid, "line_no": n, "amount": amount} for n, amount in contested.items()]
        tx.execute(dispute_lines.insert(), rows)
        on_record(tx, by, "dispute", invoice.number, reason.strip(), now)
    export(lake, ledger, at=now)
    return Dispute(sid, invoice.number, add(contested.values()), invoice.currency)


def settle_dispute(
    lake: Lake, ledger: Ledger, dispute_sid: str, *, by: str, reason: str, now: datetime, credited: bool
) -> Issued | None:
    """Decides an open dispute: its lines go back by a credit note, which is returned, or it is rejected.

    Raises:
        GateError: there is no such open dispute, or no reason is given.
    """
    if not reason.strip():
        msg = "a decision says why: give a reason. Nothing was recorded."
        raise GateError(msg)
    with ledger.transaction() as tx:
        found = _open(tx, dispute_sid)
        of = dispute_lines.select().where(dispute_lines.c.dispute_sid == dispute_sid)
        wanted: dict[int, Decimal | None] = {row.line_no: row.amount for row in tx.execute(of)}
        note = None
        if credited:
            invoice = issued_invoice(tx, found.invoice_sid)
            note = CreditNote(tx, invoice, reason.strip(), by, now).issue(wanted, rebill=False)
        values = {
            "status": CREDITED if credited else REJECTED,
            "settled_at": now,
            "settled_by": by,
            "settled_reason": reason.strip(),
            "credit_sid": note.invoice_sid if note else None,
        }
        tx.execute(disputes.update().where(disputes.c.dispute_sid == dispute_sid).values(**values))
        on_record(tx, by, f"dispute {values['status']}", dispute_sid, reason.strip(), now)
    export(lake, ledger, at=now)
    return note


def _contested(
    tx: Connection, invoice: Any, lines: Mapping[int, Decimal | None] | None, by: str, now: datetime
) -> dict[int, Decimal]:
    wanted, _ = CreditNote(tx, invoice, "", by, now).take(lines)
    open_ones = disputes.select().where(
        disputes.c.invoice_sid == invoice.invoice_sid, disputes.c.status == OPEN
    )
    for dispute in tx.execute(open_ones):
        of = dispute_lines.select().where(dispute_lines.c.dispute_sid == dispute.dispute_sid)
        twice = sorted({row.line_no for row in tx.execute(of)} & set(wanted))
        if twice:
            where = f"is contested already in {dispute.dispute_sid}"
            msg = f"{invoice.number}: line {twice[0]} {where}. Nothing was recorded."
            raise GateError(msg)
    return wanted


def _next_sid(tx: Connection, invoice_sid: str) -> str:
    known = tx.execute(disputes.select().where(disputes.c.invoice_sid == invoice_sid)).all()
    return "dispute-" + hashlib.sha256(f"{invoice_sid}:{len(known) + 1}".encode()).hexdigest()[:16]


def _open(tx: Connection, dispute_sid: str) -> Any:
    found = tx.execute(disputes.select().where(disputes.c.dispute_sid == dispute_sid)).one_or_none()
    if found is None or found.status != OPEN:
        why = f"is {found.status} since {found.settled_at:%Y-%m-%d}" if found else "does not exist"
        msg = f"the dispute {dispute_sid} {why}. `tollbook dispute list` shows the open ones."
        raise GateError(msg)
    return found
