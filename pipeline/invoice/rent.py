"""The monthly rent of phone numbers.

Rent is due in advance: an invoice bills the next period for every number held when its own period ends. A number
that was first seen within the period also owes the days from then on, as a share of the whole month. The provider
shows no dates, so they come from the daily snapshots; what the very first snapshot shows counts as long held, because
whoever billed before us has billed it in advance too. A number is charged to the same payers as its calls.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby

from pipeline.domain.invoice import Item
from pipeline.domain.money import multiply, to_minor, to_record
from pipeline.domain.period import Period, days_of, period_after, whole_period
from pipeline.domain.rounding import EXACT
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Due
from pipeline.masters.model import Customer

PROVIDER_CURRENCY = "USD"
_HISTORY = """
select did_sid, partner_sid, price, valid_from, valid_to from land.dids_history order by did_sid, valid_from
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """One partner's hold of one number. ``start`` None: since before our time; ``end`` None: still held."""

    did_sid: str
    partner_sid: str
    start: datetime | None
    end: datetime | None
    prices: tuple[tuple[datetime, Decimal | None], ...]

    def at(self, instant: datetime) -> bool:
        """Whether the number is held at an instant."""
        return (self.start is None or self.start < instant) and (self.end is None or self.end > instant)

    def price(self, instant: datetime) -> Decimal | None:
        """The provider's price that was last seen before an instant, else the first one seen."""
        known = [price for seen, price in self.prices if seen < instant]
        return known[-1] if known else self.prices[0][1]


def holdings(con: Duck) -> list[Holding]:
    """Every hold of every number, read from the history of snapshots."""
    rows = con.execute(_HISTORY).fetchall()
    first = min((row[3] for row in rows), default=None)
    return [
        held for _, versions in groupby(rows, key=lambda r: r[0]) for held in _spells(list(versions), first)
    ]


def by_payer(
    held: Iterable[Holding], payers: Callable[[str], Sequence[tuple[str, str]]]
) -> dict[tuple[str, str], list[Holding]]:
    """The holdings that each (payer, payee) is charged for."""
    found: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    for holding in held:
        for key in payers(holding.partner_sid):
            found[key].append(holding)
    return found


def rent_items(due: Due, held: Sequence[Holding]) -> list[Item]:
    """The lines for numbers on a due invoice: first cycles by days, then the next period in advance, per price."""
    customer, period = due.account.customer, due.period
    ahead = period_after(period, customer.time_zone, customer.anchor_day)
    started = [h for h in held if h.start is not None and h.start in period]
    return [
        *_lines(customer, period, started, period.end, "new", lambda h, p: _by_days(h, p, period, customer)),
        *_lines(
            customer, ahead, [h for h in held if h.at(period.end)], period.end, "advance", lambda _, p: p
        ),
    ]


def unpriced(customer: Customer, held: Sequence[Holding]) -> bool:
    """Whether numbers are held whose rent is only known in the provider's currency, which is not the customer's."""
    return bool(held) and customer.did_price is None and customer.currency != PROVIDER_CURRENCY


def _lines(
    customer: Customer,
    period: Period,
    held: Sequence[Holding],
    priced_at: datetime,
    kind: str,
    amount: Callable[[Holding, Decimal], Decimal],
) -> list[Item]:
    by_price: dict[Decimal, list[Decimal]] = defaultdict(list)
    for holding in held:
        price = customer.did_price if customer.did_price is not None else holding.price(priced_at)
        if price:
            by_price[_plain(price)].append(to_record(amount(holding, price)))
    return [_item(customer, period, kind, price, amounts) for price, amounts in sorted(by_price.items())]


def _item(customer: Customer, period: Period, kind: str, price: Decimal, amounts: list[Decimal]) -> Item:
    exact = sum(amounts, Decimal(0))
    count = len(amounts)
    what = (
        "Phone numbers, monthly rent in advance" if kind == "advance" else "New phone numbers, rent by days"
    )
    return Item(
        type="did",
        direction=None,
        country_code=None,
        description=f"{what} ({count} at {price:f})",
        usage=count,
        records=count,
        amount_exact=exact,
        amount=to_minor(exact, customer.currency),
        period=period,
        detail={"price": f"{price:f}", "rent": kind},
    )


def _by_days(holding: Holding, price: Decimal, period: Period, customer: Customer) -> Decimal:
    zone = customer.time_zone
    whole = len(days_of(whole_period(period, zone, customer.anchor_day), zone))
    begin = max(holding.start or period.start, period.start)
    end = min(holding.end or period.end, period.end)
    return EXACT.divide(multiply(price, Decimal(len(days_of(Period(begin, end), zone)))), Decimal(whole))


def _spells(versions: list[tuple], first: datetime | None) -> list[Holding]:
    spells: list[list[tuple]] = []
    for row in versions:
        last = spells[-1][-1] if spells else None
        if last and last[1] == row[1] and last[4] == row[3]:
            spells[-1].append(row)
        else:
            spells.append([row])
    return [_holding(spell, first) for spell in spells]


def _holding(spell: list[tuple], first: datetime | None) -> Holding:
    did_sid, partner_sid, _, start, _ = spell[0]
    end = spell[-1][4]
    return Holding(
        did_sid,
        partner_sid,
        None if start == first else start.astimezone(UTC),
        None if end is None else end.astimezone(UTC),
        tuple((row[3].astimezone(UTC), row[2]) for row in spell),
    )


def _plain(price: Decimal) -> Decimal:
    # 0.600000000000 reads as 0.60, and 0.6 and 0.60 are one price.
    cents = price.quantize(Decimal("0.01"), context=EXACT)
    return cents if cents == price else price.normalize(EXACT)
