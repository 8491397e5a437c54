"""The monthly rent of phone numbers.

Rent is due in advance: an invoice bills the next period for every number held when its own period ends. A number
that was first seen within the period also owes the days from then on, as a share of the whole month. The provider
shows no dates, so they come from the daily snapshots; what the very first snapshot shows counts as long held, because
whoever billed before us has billed it in advance too. A number is charged to the same payers as its calls.

What it costs says the customer's price list, else its ``did_price``, else the provider's own price. In a list with
steps a number's place decides: in the order in which they were first seen, among those held at the end for the rent in
advance, and among all of the period for the first days.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby

from pipeline.domain.did_prices import DidPrice, row_of
from pipeline.domain.invoice import Item
from pipeline.domain.money import add, multiply, plain, to_minor, to_record
from pipeline.domain.period import Period, days_of, local_day, period_after, whole_period
from pipeline.domain.rate_plan import EVERYONE
from pipeline.domain.rounding import EXACT
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Due
from pipeline.invoice.parts import NUMBER, Line, Part
from pipeline.masters.model import Customer

PROVIDER_CURRENCY = "USD"
_HISTORY = """
select did_sid, partner_sid, price, valid_from, valid_to, phonenumber
from land.dids_history
order by did_sid, valid_from
"""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Holding:
    """One partner's hold of one number. ``start`` None: since before our time; ``end`` None: still held."""

    did_sid: str
    partner_sid: str
    start: datetime | None
    end: datetime | None
    prices: tuple[tuple[datetime, Decimal | None], ...]
    phonenumber: str = ""

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


def rent_lines(due: Due, held: Sequence[Holding], prices: Sequence[DidPrice] = ()) -> list[Line]:
    """The lines for numbers on a due invoice: first cycles by days, then the next period in advance, per price."""
    customer, period = due.account.customer, due.period
    ahead = period_after(period, customer.time_zone, customer.anchor_day)
    here = sorted((h for h in held if _overlaps(h, period)), key=_first_seen)
    priced = _priced(due, here, prices)
    now = _priced(due, [h for h in here if h.at(period.end)], prices)
    started = [(h, p) for h, p in priced if h.start is not None and h.start in period]
    return [
        *_lines(customer, period, "new", [_by_days(h, p, period, customer) for h, p in started]),
        *_lines(customer, ahead, "advance", [_whole(h, p, ahead, customer) for h, p in now]),
    ]


def unpriced(due: Due, held: Sequence[Holding], prices: Sequence[DidPrice] = ()) -> bool:
    """Whether there are numbers whose rent is only known in the provider's currency, which is not the customer's."""
    customer = due.account.customer
    if customer.currency == PROVIDER_CURRENCY:
        return False
    here = (h for h in held if _overlaps(h, due.period))
    return bool(without_price(customer, here, prices, local_day(due.period.end, customer.time_zone)))


def without_price(
    customer: Customer, held: Iterable[Holding], prices: Sequence[DidPrice], day: date
) -> list[Holding]:
    """The numbers that nobody has set a price for: what the provider charges for them is charged on."""
    if customer.did_price is not None:
        return []
    return [h for h in held if _listed(customer, h, prices, day) is None]


def _overlaps(holding: Holding, period: Period) -> bool:
    return (holding.start is None or holding.start < period.end) and (
        holding.end is None or holding.end > period.start
    )


def _first_seen(holding: Holding) -> tuple[datetime, str]:
    return holding.start or _LONG_AGO, holding.did_sid


def _row(due: Due, holding: Holding, prices: Sequence[DidPrice]) -> DidPrice | None:
    customer = due.account.customer
    return _listed(customer, holding, prices, local_day(due.period.end, customer.time_zone))


def _listed(customer: Customer, holding: Holding, prices: Sequence[DidPrice], day: date) -> DidPrice | None:
    mine = [
        p
        for p in prices
        if p.partner_sid in (customer.partner_sid, EVERYONE) and p.currency == customer.currency
    ]
    return row_of(mine, customer.partner_sid, holding.phonenumber, day)


def _priced(due: Due, held: Iterable[Holding], prices: Sequence[DidPrice]) -> list[tuple[Holding, Decimal]]:
    """The numbers that cost something, each with its price for a whole period."""
    customer = due.account.customer
    before: Counter[str] = Counter()
    found = []
    for holding in held:
        row = _row(due, holding, prices)
        if row is not None:
            price: Decimal | None = row.price(before[row.prefix])
            before[row.prefix] += 1
        elif customer.did_price is not None:
            price = customer.did_price
        else:
            price = holding.price(due.period.end)
        if price:
            found.append((holding, price))
    return found


def _lines(customer: Customer, period: Period, kind: str, parts: Iterable[Part]) -> list[Line]:
    by_price: dict[Decimal, list[Part]] = defaultdict(list)
    for part in parts:
        by_price[part.price or Decimal(0)].append(part)
    return [_line(customer, period, kind, price, found) for price, found in sorted(by_price.items())]


def _line(customer: Customer, period: Period, kind: str, price: Decimal, parts: list[Part]) -> Line:
    exact = add(part.amount for part in parts)
    count = len(parts)
    what = (
        "Phone numbers, monthly rent in advance" if kind == "advance" else "New phone numbers, rent by days"
    )
    item = Item(
        type="did",
        direction=None,
        country_code=None,
        description=f"{what} ({count} at {plain(price, decimals=2)})",
        usage=count,
        records=count,
        amount_exact=exact,
        amount=to_minor(exact, customer.currency),
        period=period,
        detail={"price": plain(price, decimals=2), "rent": kind},
    )
    return Line(item, tuple(parts))


def _by_days(holding: Holding, price: Decimal, period: Period, customer: Customer) -> Part:
    zone = customer.time_zone
    whole = len(days_of(whole_period(period, zone, customer.anchor_day), zone))
    begin = max(holding.start or period.start, period.start)
    end = min(holding.end or period.end, period.end)
    days = days_of(Period(begin, end), zone)
    share = EXACT.divide(multiply(price, Decimal(len(days))), Decimal(whole))
    named = (NUMBER, holding.did_sid, holding.phonenumber, to_record(share), period)
    return Part(*named, days[0], days[-1], price=price, days=len(days), of_days=whole)


def _whole(holding: Holding, price: Decimal, period: Period, customer: Customer) -> Part:
    days = days_of(period, customer.time_zone)
    named = (NUMBER, holding.did_sid, holding.phonenumber, to_record(price), period)
    return Part(*named, days[0], days[-1], price=price, days=len(days), of_days=len(days))


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
    did_sid, partner_sid, _, start, _, phonenumber = spell[0]
    end = spell[-1][4]
    return Holding(
        did_sid,
        partner_sid,
        None if start == first else start.astimezone(UTC),
        None if end is None else end.astimezone(UTC),
        tuple((row[3].astimezone(UTC), row[2]) for row in spell),
        phonenumber or "",
    )
