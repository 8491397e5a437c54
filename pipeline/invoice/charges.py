"""The lines of recurring and one-off charges, and of features by use.

A recurring charge is billed with the period, or in advance with the one before it. In advance, the first period that
tollbook bills is left out where the charge began before it: whoever billed before has billed it in advance too. A
one-off charge is billed once, with the first invoice after its day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pipeline.domain.charges import (
    ADVANCE,
    CALLS,
    ONCE,
    ONE_OFF,
    RECURRING,
    Charge,
    Day,
    PerUse,
    Span,
    held_in,
    still_owed,
)
from pipeline.domain.invoice import Item
from pipeline.domain.money import add, multiply, plain, to_minor, to_record
from pipeline.domain.period import Period, day_start, days_of, in_force, local_day, period_after, whole_period
from pipeline.invoice.due import Due
from pipeline.invoice.parts import Line, Part
from pipeline.masters.model import Customer, Masters

_ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a feature that no invoice has billed yet; ``type`` is the item type it may be billed as, ``period`` the
    account's own that it falls into."""

    source: str
    type: str
    family: str
    ref: str
    what: str
    day: date
    quantity: Decimal
    period: Period


def charge_lines(due: Due, periods: Sequence[Period], masters: Masters, before: Sequence[Part]) -> list[Line]:
    """What charges add to a due invoice: ``periods`` are the account's up to it, ``before`` what was billed."""
    lines: list[Line] = []
    customer = due.account.customer
    for charge in held_in(customer.partner_sid, customer.currency, masters.charges):
        if charge.billed == ONCE:
            lines += _one_off(charge, due, periods, before)
        else:
            lines += _recurring(charge, due, periods, before)
    return lines


def use_lines(due: Due, uses: Sequence[Use], masters: Masters) -> list[Line]:
    """The lines of features by use, one per price and period; a use belongs to the first price that takes it."""
    lines: list[Line] = []
    customer, left = due.account.customer, list(uses)
    for price in held_in(customer.partner_sid, customer.currency, masters.per_use):
        found = [use for use in left if _priced(price, use)]
        left = [use for use in left if not _priced(price, use)]
        for period in sorted({use.period for use in found}, reverse=True):
            lines.append(_use_line(due, price, period, [u for u in found if u.period == period]))
    return lines


@lru_cache(maxsize=4096)
def days_and_whole(period: Period, zone: str, anchor: int) -> tuple[tuple[date, ...], int]:
    """The local days of a period, and how many make a whole one."""
    return days_of(period, zone), len(days_of(whole_period(period, zone, anchor), zone))


def _recurring(charge: Charge, due: Due, periods: Sequence[Period], before: Iterable[Part]) -> Iterable[Line]:
    customer = due.account.customer
    zone, anchor = customer.time_zone, customer.anchor_day
    billed = _billed_days(charge, before)
    wanted = list(periods)
    if charge.billed == ADVANCE:
        wanted.append(period_after(due.period, zone, anchor))
        if charge.start is None or charge.start < local_day(wanted[0].start, zone):
            wanted = wanted[1:]
    for period in wanted:
        days, whole = days_and_whole(period, zone, anchor)
        for span in still_owed(charge, days, whole, billed):
            yield _recurring_line(charge, customer, period, span)


def _billed_days(charge: Charge, before: Iterable[Part]) -> Mapping[date, Day]:
    billed: dict[date, Day] = {}
    for part in before:
        if part.kind != RECURRING or part.key != charge.key:
            continue
        cost = Day(multiply(part.price or Decimal(0), part.quantity), part.of_days or 1)
        days = [date.fromordinal(n) for n in range(part.first.toordinal(), part.last.toordinal() + 1)]
        if part.amount < 0:
            for day in days:
                billed.pop(day, None)
        else:
            billed |= dict.fromkeys(days, cost)
    return billed


def _recurring_line(charge: Charge, customer: Customer, period: Period, span: Span) -> Line:
    # What is given back goes by what was paid, whatever the row says by now.
    as_it_is = span.price == charge.price
    quantity, price = (charge.quantity, charge.amount) if as_it_is else (1, span.price)
    zone = customer.time_zone
    own = Period(day_start(span.first, zone), day_start(date.fromordinal(span.last.toordinal() + 1), zone))
    part = Part(
        RECURRING,
        charge.key,
        charge.name,
        span.amount,
        period,
        span.first,
        span.last,
        Decimal(quantity),
        price,
        span.days,
        span.of,
    )
    text = charge.name if charge.quantity == 1 else _counted(charge.name, charge.quantity, price)
    days = f"{abs(span.days)} of {span.of} days"
    if span.amount < 0:
        text = f"{charge.name}, given back for {days}"
    elif abs(span.days) != span.of and charge.prorated:
        text = f"{text}, {days}"
    return _line(charge, customer, RECURRING, text, own, part)


def _one_off(charge: Charge, due: Due, periods: Sequence[Period], before: Iterable[Part]) -> Iterable[Line]:
    customer, day = due.account.customer, charge.start
    if day is None or any(part.kind == ONE_OFF and part.key == charge.key for part in before):
        return
    at = day_start(day, customer.time_zone)
    for period in periods:
        if at in period:
            quantity = Decimal(charge.quantity)
            amount = to_record(charge.price)
            part = Part(ONE_OFF, charge.key, charge.name, amount, period, day, day, quantity, charge.amount)
            text = (
                _counted(charge.name, charge.quantity, charge.amount) if charge.quantity > 1 else charge.name
            )
            yield _line(charge, customer, ONE_OFF, text, period, part)


def _line(charge: Charge, customer: Customer, kind: str, text: str, period: Period, part: Part) -> Line:
    detail: dict[str, object] = {"charge": kind, "key": charge.key}
    item = Item(
        type=_ADJUSTMENT,
        direction=None,
        country_code=None,
        description=text,
        usage=charge.quantity if part.amount > 0 else 0,
        records=1,
        amount_exact=part.amount,
        amount=to_minor(part.amount, customer.currency),
        period=period,
        detail=detail | ({"taxed_as": charge.taxed_as} if charge.taxed_as else {}),
        taxed_as=charge.taxed_as,
    )
    return Line(item, (part,))


def _priced(price: PerUse, use: Use) -> bool:
    meant = (price.source, price.type) == (use.source, use.type)
    here = price.source != CALLS or use.family in price.families
    return meant and here and in_force(price.start, price.end, use.day)


def _use_line(due: Due, price: PerUse, period: Period, uses: Sequence[Use]) -> Line:
    parts = tuple(
        Part(
            price.type,
            use.ref,
            use.what,
            to_record(multiply(price.price, use.quantity)),
            period,
            use.day,
            use.day,
            use.quantity,
            price.price,
        )
        for use in uses
    )
    exact = add(part.amount for part in parts)
    count = int(add(use.quantity for use in uses))
    item = Item(
        type=price.type,
        direction=None,
        country_code=None,
        description=_counted(price.name, count, price.price),
        usage=count,
        records=len(parts),
        amount_exact=exact,
        amount=to_minor(exact, due.account.customer.currency),
        period=period,
        detail={"per_use": price.key},
    )
    return Line(item, parts)


def _counted(name: str, count: int, price: Decimal) -> str:
    return f"{name} ({count} at {plain(price, decimals=2)})"
