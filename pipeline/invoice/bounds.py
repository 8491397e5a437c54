"""What no invoice leaves with before a person has looked: far more than usual, too many lines, a period billed twice.

A mistake in a deck or stolen credentials show as an invoice many times the customer's usual. The usual is the median
of the last issued ones, each by the length of its period, so that a first short month misleads nobody. A person lets
one through by the code in the reason; the code stands for these lines with these amounts, so what has changed since
is asked about again.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median_low
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.money import add, to_minor
from pipeline.domain.period import Period
from pipeline.errors import GateError
from pipeline.invoice.draft import Draft
from pipeline.invoice.due import USAGE
from pipeline.invoice.issue import on_record
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import decisions, invoices, parked
from pipeline.masters.model import Bounds

ALLOW = "allow"
_SECOND = timedelta(seconds=1)


def beyond(tx: Connection, drafted: Draft, bounds: Bounds) -> str:
    """Why a draft has to wait for a person; empty where it need not, or where a person has let it through."""
    customer = drafted.due.account.customer
    mine = invoices.c.partner_sid == customer.partner_sid
    others = tx.execute(invoices.select().where(mine, invoices.c.kind == USAGE)).all()
    reasons = [
        reason
        for reason in (
            _twice(drafted, others),
            _lines(drafted, bounds),
            _unusual(drafted, [i for i in others if _comparable(i, drafted)], bounds),
        )
        if reason
    ]
    if not reasons or _allowed(tx, code(drafted)):
        return ""
    return f"{' and '.join(reasons)}: if that is right, `tollbook allow {code(drafted)} --reason WHY`"


def code(drafted: Draft) -> str:
    """What a person names to let this draft through: another amount or another line makes another code."""
    lines = [(item.type, item.direction, item.country_code, str(item.amount)) for item in drafted.items]
    return hashlib.sha256(repr((drafted.due.invoice_sid, lines)).encode()).hexdigest()[:12]


def allow(ledger: Ledger, wanted: str, *, by: str, reason: str, now: datetime) -> str:
    """Lets a draft through that is parked with this code; the partner_sid whose it is.

    Raises:
        GateError: nobody is parked with it, or no reason is given.
    """
    if not reason.strip():
        msg = "letting an invoice through says why: give a reason. Nothing was recorded."
        raise GateError(msg)
    with ledger.transaction() as tx:
        asked = [row for row in tx.execute(parked.select()) if f"`tollbook allow {wanted} " in row.reason]
        if not asked:
            msg = (
                f"no customer is parked with the code {wanted!r}. `tollbook invoice` says who is, and with which; "
                "an amount that has changed since has another."
            )
            raise GateError(msg)
        on_record(tx, by, ALLOW, wanted, reason.strip(), now)
    return str(asked[0].partner_sid)


def _allowed(tx: Connection, wanted: str) -> bool:
    query = decisions.select().where(decisions.c.what == ALLOW, decisions.c.subject == wanted)
    return tx.execute(query).first() is not None


def _twice(drafted: Draft, others: Iterable[Any]) -> str:
    """One seller never bills a period twice; a customer that was given another seller could be, for its numbers."""
    period = drafted.due.period
    for other in others:
        if other.period_start < period.end and period.start < other.period_end:
            return f"{other.number or other.invoice_sid} of seller {other.seller} is for this period already"
    return ""


def _lines(drafted: Draft, bounds: Bounds) -> str:
    count = len(drafted.items)
    return f"it has {count} lines, and {bounds.most_lines} are the most" if count > bounds.most_lines else ""


def _comparable(invoice: Any, drafted: Draft) -> bool:
    customer = drafted.due.account.customer
    return bool(
        invoice.number and invoice.seller == customer.seller and invoice.currency == customer.currency
    )


def _unusual(drafted: Draft, before: list[Any], bounds: Bounds) -> str:
    currency = drafted.due.account.customer.currency
    last = sorted(before, key=lambda i: i.period_end)[-bounds.usual_of :]
    if not last or not bounds.usual_factor:
        return ""
    rates = [Fraction(i.amount) / _seconds(Period(i.period_start, i.period_end)) for i in last]
    usual = max(median_low(rates) * _seconds(drafted.due.period), Fraction(bounds.usual_least))
    amount = add(item.amount for item in drafted.items)
    if Fraction(amount) <= bounds.usual_factor * usual:
        return ""
    cents = to_minor(Decimal(round(usual * 100)).scaleb(-2), currency)
    return (
        f"{to_minor(amount, currency)} {currency} before taxes is more than {bounds.usual_factor} times what is usual "
        f"({cents} {currency}, from the last {len(last)})"
    )


def _seconds(period: Period) -> int:
    return max(1, (period.end - period.start) // _SECOND)
