"""What bundles and tiers would do to usage that no invoice has taken yet.

An invoice draws when it takes its records. Until then this says what each would draw as things stand: all records of
the payer and period that a bundle or tier takes go through the rules of ``domain/draws`` in call order, one by one.
That is right and not fast, so beyond ``MOST`` records nothing is said.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from pipeline.domain.allowances import (
    BUNDLE,
    NOTHING,
    NUMBER,
    USAGE,
    Bundle,
    Charge,
    Draw,
    Pool,
    Scope,
    Tier,
    held_by,
)
from pipeline.domain.draws import draw
from pipeline.domain.money import add, plain
from pipeline.domain.period import Period, period_at
from pipeline.lake.lake import Lake
from pipeline.masters.model import Masters

MOST = 200_000
_CHARGES = """
with charges as (
    select
        source, dr_sid, date_stop, service, direction, item_type, country_code, matched_number, billed_seconds as usage,
        amount, rate_price, unit_seconds, connect_fee, plan_sid, plan_version
    from rate.calls
    where side = 'charge' and payer_sid = $payer and rating_status = 'rated' and date_stop >= $first
        and date_stop < $last
    union all
    select
        source, dr_sid, date_stop, service, direction, item_type, country_code, matched_number, billed_units,
        amount, rate_price, 1, connect_fee, plan_sid, plan_version
    from rate.messages
    where side = 'charge' and payer_sid = $payer and rating_status = 'rated' and date_stop >= $first
        and date_stop < $last
)

select
    c.source, c.dr_sid, c.date_stop, c.service, coalesce(c.direction, ''), coalesce(c.item_type, ''), c.country_code,
    coalesce(c.matched_number, ''), coalesce({own_number}, ''), c.usage::decimal(18, 3), c.amount,
    coalesce(c.rate_price, 0), c.unit_seconds::decimal(18, 3), coalesce(c.connect_fee, 0),
    coalesce(p.rounding_mode, 'half_up'),
    coalesce(p.rounding_decimals, 10)
from charges as c
left join rate.plans as p on p.plan_sid = c.plan_sid and p.plan_version = c.plan_version
{numbers}
"""
_NUMBERS = """
left join (
    select source, dr_sid, number_billing from land.calls where date_stop >= $first and date_stop < $last
    union all
    select source, dr_sid, number_billing from land.messages where date_insert >= $first and date_insert < $last
) as n on n.source = c.source and n.dr_sid = c.dr_sid
"""
_OWN_NUMBER = "translate(n.number_billing, '+ ().-', '')"
_HELD = """
select source, dr_sid, kind, key, own_number, sum(quantity), sum(amount),
    arg_max(position, (revision, coalesce(redrawn_at, timestamptz '1970-01-01')))
from invoice.draws
where payer_sid = $payer and date_stop >= $first and date_stop < $last
group by source, dr_sid, kind, key, own_number
having sum(quantity) <> 0 or sum(amount) <> 0
order by all
"""
Sid = tuple[str, str]


@dataclass(frozen=True, slots=True)
class WouldDraw:
    """What one record would draw from a bundle or count in a tier: ``left`` is what the bundle held before it,
    ``position`` where in the period's volume the tier would price it."""

    kind: str
    key: str
    name: str
    measure: str
    quantity: Decimal
    amount: Decimal
    position: Decimal
    left: Decimal | None

    @property
    def sentence(self) -> str:
        """The same in words."""
        unit = f" {self.measure}" if self.measure else ""
        change = f"{plain(abs(self.amount))} {'more' if self.amount > 0 else 'less'}"
        if self.kind == BUNDLE:
            left = f"{plain(self.left or NOTHING, grouped=True)}{unit} of the bundle {self.name} are left"
            return f"{left}: it covers {plain(self.quantity)}{unit}, {change}."
        reached = f"{plain(self.position, grouped=True)}{unit}"
        what = f"It counts {plain(self.quantity)}{unit} in {self.name}, at {reached} of the period"
        return f"{what}: {change}." if self.amount else f"{what}: the price stays."


@dataclass(frozen=True, slots=True)
class Preview:
    """What a record draws in its period, and what it comes to then. ``draws`` is None where too many records share;
    ``spent`` names bundles that it could draw on, had those before it left anything."""

    period: Period
    draws: tuple[WouldDraw, ...] | None
    amount: Decimal
    spent: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Its draws in words, and the bundles that are used up."""
        if self.draws is None:
            return (
                f"Bundles or tiers apply. Over {MOST:,} records of the period share them: what this one draws of them, "
                "its invoice will tell.",
            )
        return (
            *(f"The bundle {name} is used up." for name in self.spent),
            *(draw.sentence for draw in self.draws),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words."""
        if self.draws is None:
            return self.told
        start = f"{self.period.start:%Y-%m-%d %H:%M} to {self.period.end:%Y-%m-%d %H:%M}"
        return (
            f"In the period {start}, as things stand:",
            *self.told,
            f"So it comes to {plain(self.amount, decimals=2)}.",
        )


def preview(
    lake: Lake, masters: Masters, payer_sid: str, bill_from: date | None, wanted: Charge
) -> Preview | None:
    """What a record of a payer draws, be it among the rated ones or made up; None where nothing it has applies."""
    found = previews(lake, masters, payer_sid, bill_from, [wanted])
    return found.get((wanted.source, wanted.dr_sid))


def previews(
    lake: Lake, masters: Masters, payer_sid: str, bill_from: date | None, wanted: Iterable[Charge]
) -> dict[Sid, Preview]:
    """The same of several records, each in its place among all of its period; those that nothing applies to are not
    there."""
    customer = masters.customers.get(payer_sid)
    if customer is None:
        return {}
    bundles, tiers = held_by(payer_sid, masters.bundles), held_by(payer_sid, masters.tiers)
    zone, anchor, first = customer.time_zone, customer.anchor_day, customer.bill_from or bill_from
    periods: dict[Period, dict[Sid, Charge]] = {}
    for charge in _taken(wanted, bundles, tiers):
        period = period_at(zone, anchor, first, charge.at)
        if period is not None:
            periods.setdefault(period, {})[charge.source, charge.dr_sid] = charge
    found: dict[Sid, Preview] = {}
    for period, mine in periods.items():
        found |= _of_period(lake, payer_sid, period, mine, bundles, tiers)
    return found


def _of_period(
    lake: Lake,
    payer_sid: str,
    period: Period,
    wanted: Mapping[Sid, Charge],
    bundles: Sequence[Bundle],
    tiers: Sequence[Tier],
) -> dict[Sid, Preview]:
    held = _held(lake, payer_sid, period)
    numbered = any(scope.per == NUMBER for scope in _scopes(bundles, tiers))
    rated = _taken(charges_of(lake, payer_sid, period, own_numbers=numbered), bundles, tiers)
    all_of_it = {**wanted, **{(c.source, c.dr_sid): c for c in rated}}
    if len(all_of_it) > MOST:
        return {sid: Preview(period, None, charge.amount) for sid, charge in wanted.items()}
    charges = [replace(c, held=held.get(sid, ())) for sid, c in all_of_it.items()]
    drawn = draw(charges, bundles, tiers, _used(held))
    return dict(_previews(period, wanted, drawn, bundles, tiers, _used(held)))


def charges_of(lake: Lake, payer_sid: str, period: Period, *, own_numbers: bool) -> list[Charge]:
    """The rated records of a payer and period, at their plan's prices."""
    query = _CHARGES.format(
        own_number=_OWN_NUMBER if own_numbers else "null", numbers=_NUMBERS if own_numbers else ""
    )
    return [
        Charge(source, sid, at.astimezone(UTC), *values)
        for source, sid, at, *values in _rows(lake, query, payer_sid, period)
    ]


def _previews(
    period: Period,
    wanted: Container[Sid],
    drawn: Sequence[tuple[Charge, tuple[Draw, ...]]],
    bundles: Sequence[Bundle],
    tiers: Sequence[Tier],
    used: Mapping[Pool, Decimal],
) -> Iterator[tuple[Sid, Preview]]:
    """The records among all of their period; a bundle's rest is what those before, and invoices, have left."""
    rooms = dict(used)
    for charge, draws in drawn:
        for h in charge.held:
            rooms[h.pool] = rooms.get(h.pool, NOTHING) - h.quantity
        sid = (charge.source, charge.dr_sid)
        if sid in wanted:
            found = tuple(_named(d, rooms, charge, bundles, tiers) for d in draws)
            keys = {d.key for d in draws}
            spent = tuple(b.name for b in bundles if b.key not in keys and b.scope.takes(charge))
            yield sid, Preview(period, found, add((charge.amount, *(d.amount for d in draws))), spent)
        for d in draws:
            rooms[d.pool] = rooms.get(d.pool, NOTHING) + d.quantity


def _named(
    found: Draw,
    rooms: Mapping[Pool, Decimal],
    charge: Charge,
    bundles: Sequence[Bundle],
    tiers: Sequence[Tier],
) -> WouldDraw:
    usage = "seconds" if charge.service == "call" else "units"
    told = (found.quantity, found.amount, found.position)
    if found.kind == BUNDLE:
        bundle = next(b for b in bundles if b.key == found.key)
        left = bundle.quantity - rooms.get(found.pool, NOTHING)
        return WouldDraw(found.kind, found.key, bundle.name, usage, *told, left)
    tier = next(t for t in tiers if t.key == found.key)
    return WouldDraw(found.kind, found.key, tier.name, usage if tier.measure == USAGE else "", *told, None)


def _taken(charges: Iterable[Charge], bundles: Sequence[Bundle], tiers: Sequence[Tier]) -> list[Charge]:
    scopes = _scopes(bundles, tiers)
    return [c for c in charges if (c.usage > 0 or c.amount > 0) and any(s.takes(c) for s in scopes)]


def _scopes(bundles: Iterable[Bundle], tiers: Iterable[Tier]) -> list[Scope]:
    return [*(b.scope for b in bundles), *(t.scope for t in tiers)]


def _held(lake: Lake, payer_sid: str, period: Period) -> dict[Sid, tuple[Draw, ...]]:
    """What invoices have drawn for the records of a period."""
    found: dict[Sid, tuple[Draw, ...]] = {}
    for source, sid, *values in _rows(lake, _HELD, payer_sid, period):
        found[source, sid] = (*found.get((source, sid), ()), Draw(*values))
    return found


def _used(held: Mapping[Sid, Iterable[Draw]]) -> dict[Pool, Decimal]:
    used: dict[Pool, Decimal] = {}
    for draws in held.values():
        for d in draws:
            used[d.pool] = add((used.get(d.pool, NOTHING), d.quantity))
    return used


def _rows(lake: Lake, query: str, payer_sid: str, period: Period) -> list[tuple[Any, ...]]:
    with lake.duck() as con:
        asked = {"payer": payer_sid, "first": period.start, "last": period.end}
        return list(con.execute(query, asked).fetchall())
