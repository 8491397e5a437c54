"""Charges, discounts and minimum commitments, as values, and the arithmetic of each.

A recurring charge is owed day by day: what a day costs is a share of its whole billing period, and what is billed is
every day in force that no invoice has billed before. So a charge that is entered late is billed for its past days, one
that is ended early gives its days back at the price that was paid for them, and a period that is billed late comes out
as it would have on time. Discounts take from rounded lines what a customer can check on the page; a commitment asks
for what its period's lines, late ones included, leave short of the minimum.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from pipeline.domain.allowances import Held, held_by
from pipeline.domain.money import add, multiply, to_minor, to_record
from pipeline.domain.period import in_force
from pipeline.domain.rounding import EXACT

ADVANCE, ARREARS, ONCE = "advance", "arrears", "once"
BILLED = (ADVANCE, ARREARS, ONCE)
# What lines are to discounts and commitments, beside their item types.
RECURRING, ONE_OFF, SHORTFALL = "recurring", "one_off", "shortfall"
# Where use comes from that no rated record stands for.
LOOKUPS, PROVIDER, CALLS = "lookups", "provider_invoices", "calls"
NOTHING = Decimal(0)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a customer pays without any record: for each period, or once.

    ``amount`` is for one of ``quantity`` and a whole period. ``start`` is the first day, ``end`` the first day not any
    more; of a charge that is billed once, ``start`` is its day. ``taxed_as`` is the item type whose taxes it bears.
    A charge that is not ``prorated`` costs the whole amount in each period that it touches.
    """

    key: str
    name: str
    partner_sid: str
    amount: Decimal
    currency: str
    billed: str = ADVANCE
    quantity: int = 1
    start: date | None = None
    end: date | None = None
    taxed_as: str = ""
    prorated: bool = True
    order: int = 0

    @property
    def price(self) -> Decimal:
        """All of it for a whole period."""
        return multiply(self.amount, Decimal(self.quantity))


@dataclass(frozen=True, slots=True)
class Discount:
    """A percentage, or a fixed amount per invoice, off the lines of ``items`` (empty: all but one-off charges and
    adjustments). ``below_zero`` gives a fixed amount whole, also where the lines do not come to it."""

    key: str
    name: str
    partner_sid: str
    currency: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    items: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    below_zero: bool = False
    order: int = 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the lines of ``items`` (empty: as for a discount) come to at least in each period."""

    key: str
    name: str
    partner_sid: str
    amount: Decimal
    currency: str
    items: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    taxed_as: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class PerUse:
    """A price for each use of a feature that the provider bills beside the calls: an item of ``type``.

    ``source`` says what is counted: our paid lookups that were made for the customer, the use on the provider's own
    invoices to it, or its billed calls of ``families``.
    """

    key: str
    name: str
    partner_sid: str
    type: str
    price: Decimal
    currency: str
    source: str
    families: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What a day was billed at: a share of ``price``, one of ``of`` days."""

    price: Decimal
    of: int


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row, from ``first`` to ``last``, to be billed or, with a negative ``amount``, given back."""

    first: date
    last: date
    price: Decimal
    of: int
    amount: Decimal

    @property
    def days(self) -> int:
        """How many days; negative where they are given back."""
        count = (self.last - self.first).days + 1
        return -count if self.amount < 0 else count


@dataclass(frozen=True, slots=True)
class Reached:
    """How a period stands with a commitment: the minimum, what its lines came to, and what was billed as short."""

    committed: Decimal = NOTHING
    counted: Decimal = NOTHING
    billed: Decimal = NOTHING


class HeldIn(Held, Protocol):
    """What one customer has, or everyone who is billed in its currency."""

    @property
    def currency(self) -> str: ...


A = TypeVar("A", bound=HeldIn)


def held_in(partner_sid: str, currency: str, known: Iterable[A]) -> tuple[A, ...]:
    """What a customer has of these, in its order."""
    return held_by(partner_sid, [k for k in known if k.currency == currency])


def still_owed(charge: Charge, days: Sequence[date], of: int, billed: Mapping[date, Day]) -> list[Span]:
    """What a recurring charge adds for the days of one period, of which ``of`` make a whole one.

    ``billed`` are the days that earlier invoices have billed, of any period.
    """
    held = [day for day in days if in_force(charge.start, charge.end, day)]
    if not charge.prorated:
        if not held or any(day in billed for day in days):
            return []
        return [Span(days[0], days[-1], charge.price, of, to_record(charge.price))]
    due = _spans([(day, Day(charge.price, of)) for day in held if day not in billed], 1)
    gone = [(d, billed[d]) for d in days if d in billed and not in_force(charge.start, charge.end, d)]
    return due + _spans(gone, -1)


def _spans(days: Iterable[tuple[date, Day]], sign: int) -> list[Span]:
    rows: list[list[tuple[date, Day]]] = []
    for day, cost in days:
        if rows and rows[-1][-1] == (day - _DAY, cost):
            rows[-1].append((day, cost))
        else:
            rows.append([(day, cost)])
    return [_span([day for day, _ in row], row[0][1], sign) for row in rows]


def _span(days: Sequence[date], cost: Day, sign: int) -> Span:
    share = EXACT.divide(multiply(cost.price, Decimal(sign * len(days))), Decimal(cost.of))
    return Span(days[0], days[-1], cost.price, cost.of, to_record(share))


def reductions(discount: Discount, bases: Sequence[Decimal], currency: str) -> list[Decimal]:
    """What a discount takes off each of these amounts: a percentage of each, or minor units that add up to the fixed
    amount, by the weight of those above 0."""
    if discount.percent is not None:
        return [to_record(EXACT.divide(multiply(base, discount.percent), Decimal(100))) for base in bases]
    total, most = discount.amount or NOTHING, max(add(bases), NOTHING)
    return _shared(total if discount.below_zero else min(total, most), bases, currency)


def _shared(total: Decimal, bases: Sequence[Decimal], currency: str) -> list[Decimal]:
    weights = [max(base, NOTHING) for base in bases]
    whole, seen, given = add(weights), NOTHING, NOTHING
    if not whole:
        return [NOTHING] * len(weights)
    shares = []
    for weight in weights:
        seen = EXACT.add(seen, weight)
        reached = to_minor(EXACT.divide(multiply(total, seen), whole), currency)
        shares.append(EXACT.subtract(reached, given))
        given = reached
    return shares


def committed(commitment: Commitment, days: Sequence[date], of: int) -> Decimal:
    """The minimum for the days of a period, of which ``of`` make a whole one, in whole minor units."""
    held = sum(1 for day in days if in_force(commitment.start, commitment.end, day))
    share = EXACT.divide(multiply(commitment.amount, Decimal(held)), Decimal(of))
    return to_minor(share, commitment.currency)


def shortfall(before: Reached, minimum: Decimal, counted: Decimal) -> Decimal:
    """What a period is short of its minimum, less what was billed as that before; negative is given back."""
    short = EXACT.subtract(EXACT.add(before.committed, minimum), EXACT.add(before.counted, counted))
    return EXACT.subtract(max(short, NOTHING), before.billed)
