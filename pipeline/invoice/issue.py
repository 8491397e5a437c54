"""The life of an invoice after it is drafted: approval, number, being settled, or being dropped.

Issuing gives the number, fixes the balances and books the entries in one transaction, so numbers have no gaps and an
issued invoice never changes. Accounts run on: ``amount_due`` is all that was owed on the day of issue, and an invoice
is settled when what came in since covers it; the oldest debt is paid first.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.invoice import foot
from pipeline.domain.invoice_status import COMPLETE, OPEN, may_move
from pipeline.domain.money import add
from pipeline.errors import GateError
from pipeline.invoice.books import Holder, balances, book_invoice, receivables
from pipeline.invoice.export import export
from pipeline.invoice.record import REVIEWING
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import decisions, invoices, series

ALL = "all"
CHARGE_BACK = "charge_back"


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that has just been issued."""

    invoice_sid: str
    number: str
    partner_sid: str
    amount_due: Decimal
    currency: str


def approve(lake: Lake, ledger: Ledger, which: str, *, by: str, now: datetime) -> tuple[Issued, ...]:
    """Issues a draft (its ``invoice_sid``), or all of them (``all``), in the order of their periods and names.

    Raises:
        GateError: there is no such draft.
    """
    with ledger.transaction() as tx:
        drafts = _drafts(tx, which)
        issued = tuple(issue(tx, draft, by=by, now=now) for draft in drafts)
        for draft in drafts:
            on_record(tx, by, "approve", draft.invoice_sid, "", now)
    export(lake, ledger, at=now)
    return issued


def drop(lake: Lake, ledger: Ledger, invoice_sid: str, *, by: str, now: datetime, reason: str = "") -> None:
    """Takes a draft back: its claims are free again, and the next run makes it anew.

    Raises:
        GateError: there is no such draft; an issued invoice is corrected by a credit note.
    """
    with ledger.transaction() as tx:
        (draft,) = _drafts(tx, invoice_sid)
        tx.execute(invoices.delete().where(invoices.c.invoice_sid == draft.invoice_sid))
        claims = [(f"invoice/{name}", draft.invoice_sid) for name in ("claims", "draws", "parts")]
        lake.commit(tx, [], at=now, stage="invoice", note=f"drop {draft.invoice_sid}", remove=claims)
        on_record(tx, by, "drop", draft.invoice_sid, reason, now)
    export(lake, ledger, at=now)


def issue(tx: Connection, draft: Any, *, by: str, now: datetime) -> Issued:
    """Issues one draft within ``tx``: balances as they stand now, the next number of its series, the entries."""
    snapshot = json.loads(draft.snapshot)
    holder = Holder(draft.partner_sid, draft.seller, draft.currency)
    sums = foot(draft.amount, draft.amount_tax, *balances(tx, holder))
    number = next_number(tx, snapshot["seller"]["series"], now.year)
    move(tx, draft, COMPLETE if sums.amount_due == 0 else OPEN)
    tx.execute(
        invoices.update()
        .where(invoices.c.invoice_sid == draft.invoice_sid)
        .values(
            number=number,
            balance_previous=sums.balance_previous,
            payments=sums.payments,
            balance_forward=sums.balance_forward,
            amount_due=sums.amount_due,
            date_issued=now,
            date_due=now + timedelta(days=int(snapshot["customer"]["terms_days"])),
            approved_by=by,
        )
    )
    book_invoice(
        tx, holder, draft.invoice_sid, amount=draft.amount, amount_tax=draft.amount_tax, by=by, at=now
    )
    # A credit on this invoice pays older ones too.
    settle(tx, holder)
    return Issued(draft.invoice_sid, number, draft.partner_sid, sums.amount_due, draft.currency)


def settle(tx: Connection, holder: Holder) -> tuple[str, ...]:
    """Moves invoices on that what came in since their issue covers, and back where it was charged back; the numbers of
    those that are settled now and were not before."""
    rows = receivables(tx, holder)
    booked = {row.invoice_sid: row.entry_id for row in rows if row.kind == "invoice"}
    query = invoices.select().where(
        invoices.c.partner_sid == holder.partner_sid,
        invoices.c.seller == holder.seller,
        invoices.c.currency == holder.currency,
        invoices.c.status.in_((OPEN, COMPLETE)),
        invoices.c.invoice_sid.in_(booked),
    )
    settled = []
    for invoice in tx.execute(query.order_by(invoices.c.number)).all():
        later = [row for row in rows if row.entry_id > booked[invoice.invoice_sid]]
        came_in = -add(row.amount for row in later if row.amount < 0 or row.kind == CHARGE_BACK)
        status = COMPLETE if came_in >= invoice.amount_due else OPEN
        if status == COMPLETE != invoice.status:
            settled.append(invoice.number)
        move(tx, invoice, status)
    return tuple(settled)


def move(tx: Connection, invoice: Any, status: str) -> None:
    """Gives an invoice another status; the only place that does.

    Raises:
        GateError: the one may not follow on the other.
    """
    if not may_move(invoice.status, status):
        msg = f"{invoice.number or invoice.invoice_sid} is {invoice.status} and cannot become {status}."
        raise GateError(msg)
    if invoice.status != status:
        this = invoices.c.invoice_sid == invoice.invoice_sid
        tx.execute(invoices.update().where(this).values(status=status))


def next_number(tx: Connection, prefix: str, year: int) -> str:
    """Takes the next number of a series, within the transaction that issues: so there are no gaps."""
    where = (series.c.series == prefix, series.c.year == year)
    known = tx.execute(series.select().where(*where)).one_or_none()
    number = 1 if known is None else known.last + 1
    if known is None:
        tx.execute(series.insert(), {"series": prefix, "year": year, "last": number})
    else:
        tx.execute(series.update().where(*where).values(last=number))
    return f"{prefix}-{year}-{number:06d}"


def _drafts(tx: Connection, which: str) -> list:
    query = invoices.select().where(invoices.c.status == REVIEWING)
    found = tx.execute(query if which == ALL else query.where(invoices.c.invoice_sid == which)).all()
    if not found and which != ALL:
        raise GateError(_why_no_draft(tx, which))
    return sorted(found, key=_order)


def _order(draft: Any) -> tuple:
    return draft.period_end, json.loads(draft.snapshot)["customer"]["name"], draft.partner_sid


def _why_no_draft(tx: Connection, which: str) -> str:
    known = find_invoice(tx, which)
    if known is None:
        return f'there is no draft {which}. `tollbook sql "from invoice.invoices where number is null"` lists them.'
    return f"{known.number} is issued and never changes. Correct it with `tollbook credit {known.number}`."


def find_invoice(tx: Connection, which: str) -> Any | None:
    """The row of an invoice, by its number or sid."""
    named = (invoices.c.invoice_sid == which) | (invoices.c.number == which)
    return tx.execute(invoices.select().where(named)).one_or_none()


def on_record(tx: Connection, by: str, what: str, subject: str, reason: str, now: datetime) -> None:
    """Writes down who decided what, and why."""
    tx.execute(decisions.insert(), {"at": now, "by": by, "what": what, "subject": subject, "reason": reason})
