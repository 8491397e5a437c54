"""Which issued invoices are overdue, by how much, and which reminder is next for each.

Levels follow one another: each at least as many days after the one before as their days differ, so that whoever begins
to remind late begins politely. What open disputes are about is held out, with its share of the taxes; what is credited
or paid is no longer open. Opening balances have no invoice to remind of, and are left to a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipeline.domain.money import add, to_minor
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows
from pipeline.ledger.schema import emails, invoices
from pipeline.masters.model import ReminderLevel

REMINDER = "reminder"
_OPEN = """
select invoice_sid, open_amount, contested from invoice.ageing
where kind = 'invoice' and number is not null
order by date_due, number
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A reminder that is due: of an invoice (a row of ``invoices``), over ``amount``, which nobody contests."""

    invoice: Mapping[str, Any]
    level: ReminderLevel
    amount: Decimal
    days_overdue: int


def due_reminders(
    lake: Lake, ledger: Ledger, levels: Sequence[ReminderLevel], *, now: datetime
) -> tuple[Overdue, ...]:
    """Every reminder that is due, the oldest debt first."""
    if not levels:
        return ()
    issued = {row["invoice_sid"]: row for row in rows(ledger, invoices.select())}
    reminded = _reminded(ledger)
    found = []
    for standing in lake.query(_OPEN):
        invoice = issued[standing["invoice_sid"]]
        amount = _uncontested(invoice, standing["open_amount"], standing["contested"])
        days = (now.date() - invoice["date_due"].date()).days
        level = _next(levels, days, reminded.get(invoice["invoice_sid"]), now)
        if level is not None and amount > 0:
            found.append(Overdue(invoice, level, amount, days))
    return tuple(found)


def _reminded(ledger: Ledger) -> dict[str, tuple[int, datetime]]:
    """The last level of each invoice that is in the outbox, and since when."""
    query = emails.select().where(emails.c.kind == REMINDER).order_by(emails.c.level)
    return {row["invoice_sid"]: (row["level"], row["queued_at"]) for row in rows(ledger, query)}


def _next(
    levels: Sequence[ReminderLevel], days_overdue: int, last: tuple[int, datetime] | None, now: datetime
) -> ReminderLevel | None:
    done, since = last or (0, None)
    level = next((level for level in levels if level.level > done), None)
    if level is None or days_overdue < max(1, level.days_overdue):
        return None
    before = next((known for known in levels if known.level == done), None)
    if since is not None and before is not None:
        waited = (now.date() - since.date()).days
        if waited < level.days_overdue - before.days_overdue:
            return None
    return level


def _uncontested(invoice: Mapping[str, Any], open_amount: Decimal, contested: Decimal) -> Decimal:
    """What is open without what is contested; disputes are about lines, so their taxes are held out with them."""
    net, whole = invoice["amount"], add((invoice["amount"], invoice["amount_tax"]))
    held = Fraction(contested) * Fraction(whole) / Fraction(net) if net else Fraction(contested)
    cents = Decimal(round(held * 100)).scaleb(-2)
    return to_minor(add((open_amount, -cents)), invoice["currency"])
