"""Whose periods are due and not invoiced yet.

An account is one customer of one seller. Its periods are invoiced in order and never again: a period that ended
before the account's last invoice is closed, and what turns up late for it is billed with the next one.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from pipeline.domain.period import Period, day_start, period_after, periods
from pipeline.ledger.schema import invoices
from pipeline.masters.model import Customer, Masters, Seller

USAGE = "usage"
_NAMESPACE = uuid.UUID("6f0a6f2e-4a0c-5c6e-9f5d-3a4e2b7c9d10")


@dataclass(frozen=True, slots=True)
class Account:
    """A customer of a seller; ``payee_sid`` is the partner that the seller stands for."""

    customer: Customer
    seller: Seller
    payee_sid: str

    @property
    def key(self) -> tuple[str, str]:
        """(payer_sid, payee_sid): how rated rows name an account."""
        return self.customer.partner_sid, self.payee_sid


@dataclass(frozen=True, slots=True)
class Due:
    """One invoice to be made. It takes what ended in ``[claims_from, period.end)`` and is not claimed yet."""

    account: Account
    period: Period
    claims_from: datetime
    invoice_sid: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """An account's time: from when on it is billed, its closed periods so far, and those not invoiced yet."""

    account: Account
    bill_from: datetime
    periods: tuple[Period, ...]
    due: tuple[Due, ...]

    @property
    def due_to(self) -> datetime:
        """The end of the last closed period; ``bill_from`` while there is none."""
        return self.periods[-1].end if self.periods else self.bill_from

    @property
    def upcoming(self) -> Period:
        """The period whose invoice comes next."""
        customer, last = self.account.customer, Period(self.due_to, self.due_to)
        return self.due[0].period if self.due else period_after(last, customer.time_zone, customer.anchor_day)


def accounts(masters: Masters, root_sid: str) -> list[Account]:
    """Every account, ordered by the customer's name."""
    found = []
    for customer in masters.customers.values():
        seller = masters.sellers[customer.seller]
        found.append(Account(customer, seller, seller.partner_sid or root_sid))
    return sorted(found, key=lambda a: (a.customer.name, a.customer.partner_sid))


def calendars(
    tx: Connection, held: Iterable[Account], *, bill_from: date, as_of: datetime, lookback: timedelta
) -> list[Calendar]:
    """The calendar of each account."""
    invoiced = invoiced_to(tx)
    return [_calendar(account, invoiced, bill_from, as_of, lookback) for account in held]


def in_order(found: Iterable[Calendar]) -> list[Due]:
    """All that is due, in the order in which it is invoiced and numbered: by period end, then by name."""
    due = [d for calendar in found for d in calendar.due]
    return sorted(due, key=lambda d: (d.period.end, d.account.customer.name, d.account.customer.partner_sid))


def invoiced_to(tx: Connection, account: Account | None = None) -> dict[tuple[str, str], datetime]:
    """Up to when each (partner_sid, seller), or just this account, is invoiced, drafts included."""
    query = invoices.select().where(invoices.c.kind == USAGE)
    if account is not None:
        customer = account.customer
        query = query.where(
            invoices.c.partner_sid == customer.partner_sid, invoices.c.seller == customer.seller
        )
    reached: dict[tuple[str, str], datetime] = {}
    for row in tx.execute(query):
        key = (row.partner_sid, row.seller)
        reached[key] = max(row.period_end, reached.get(key, row.period_end))
    return reached


def usage_invoice_sid(seller: str, partner_sid: str, period_end: datetime) -> str:
    """The id of the invoice of an account for the period with this end: the same whenever it is made."""
    return str(uuid.uuid5(_NAMESPACE, f"{seller}|{partner_sid}|{USAGE}|{period_end.isoformat()}"))


def _calendar(
    account: Account,
    invoiced: dict[tuple[str, str], datetime],
    bill_from: date,
    as_of: datetime,
    lookback: timedelta,
) -> Calendar:
    customer = account.customer
    first = customer.bill_from or bill_from
    closed = periods(customer.time_zone, customer.anchor_day, first, as_of, lookback)
    since = day_start(first, customer.time_zone)
    done = invoiced.get((customer.partner_sid, customer.seller), since)
    # Where the anchor day was changed, a period may reach into an invoiced one: it begins where that ended.
    fresh = [Period(max(p.start, done), p.end) for p in closed if p.end > done]
    edges = [since, *(p.end for p in fresh)]
    due = tuple(
        Due(account, p, begin, usage_invoice_sid(customer.seller, customer.partner_sid, p.end))
        for p, (begin, _) in zip(fresh, pairwise(edges), strict=True)
    )
    return Calendar(account, since, closed, due)
