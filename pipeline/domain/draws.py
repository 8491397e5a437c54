"""What records draw from bundles and count in tiers: the second pass over what a customer used in one period.

Records are taken in the order in which they ended, because that instant also decides which period they belong to; ties
go by source and id, so the outcome depends neither on when records arrived nor on the order in which they were rated.

What an invoice drew stays drawn. A record that comes late takes from what is left of its own period. One that was
corrected keeps what it drew as far as it still uses it, gives back the rest, and takes more in its turn; a tier prices
it at the place in the period's volume that it had.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from pipeline.domain.allowances import (
    BUNDLE,
    NOTHING,
    NUMBER,
    RETROACTIVE,
    TIER,
    USAGE,
    Bundle,
    Charge,
    Draw,
    Pool,
    Scope,
    Tier,
    TierStep,
)
from pipeline.domain.money import add, multiply
from pipeline.domain.rounding import EXACT, quantize


def draw(
    charges: Iterable[Charge],
    bundles: Sequence[Bundle],
    tiers: Sequence[Tier],
    used: Mapping[Pool, Decimal],
) -> list[tuple[Charge, tuple[Draw, ...]]]:
    """What each record of one payer and period draws in all, in call order.

    ``used`` is what earlier invoices have drawn from each pool, what these records hold of it included.
    """
    ordered = sorted(charges, key=lambda c: c.order)
    pools = _Pools(dict(used))
    kept = [_kept(charge, bundles) for charge in ordered]
    for charge, mine in zip(ordered, kept, strict=True):
        pools.release(charge.held)
        pools.take(mine)
    drawn = [_more(charge, bundles, mine, pools) for charge, mine in zip(ordered, kept, strict=True)]
    found = [_valued(charge, quantities) for charge, quantities in zip(ordered, drawn, strict=True)]
    counted = _tiered(ordered, found, tiers, pools)
    return [(c, (*f, *t)) for c, f, t in zip(ordered, found, counted, strict=True)]


def remainder(charge: Charge, left: Decimal) -> Decimal:
    """What a record costs when only ``left`` of its usage is paid for; the connect fee stays.

    The rest is priced as the whole was. Where steps, windows or a smallest charge made the amount, no single price
    did: then each second bears the same share.
    """
    if left == charge.usage:
        return charge.amount
    if charge.amount == _rounded(charge, add((charge.fee, _priced(charge.price, charge.usage, charge.unit)))):
        return _rounded(charge, add((charge.fee, _priced(charge.price, left, charge.unit))))
    fee = min(charge.fee, charge.amount)
    share = EXACT.divide(multiply(add((charge.amount, -fee)), left), charge.usage)
    return _rounded(charge, add((fee, share)))


@dataclass(slots=True)
class _Pools:
    """How much of each pool is in use."""

    used: dict[Pool, Decimal]

    def take(self, draws: Iterable[Draw]) -> None:
        for d in draws:
            self.used[d.pool] = add((self.used.get(d.pool, NOTHING), d.quantity))

    def release(self, draws: Iterable[Draw]) -> None:
        for d in draws:
            self.used[d.pool] = add((self.used.get(d.pool, NOTHING), -d.quantity))


def _own(scope: Scope, charge: Charge) -> str:
    return charge.own_number if scope.per == NUMBER else ""


def _kept(charge: Charge, bundles: Sequence[Bundle]) -> list[Draw]:
    """What a record goes on holding of what it drew before: no more than it uses, of bundles that still take it."""
    before = {h.pool: h.quantity for h in charge.held}
    left, kept = charge.usage, []
    for bundle in bundles:
        own = _own(bundle.scope, charge)
        quantity = min(before.get((BUNDLE, bundle.key, own), NOTHING), left)
        if quantity > 0 and bundle.scope.takes(charge):
            kept.append(Draw(BUNDLE, bundle.key, own, quantity, NOTHING))
            left -= quantity
    return kept


def _more(charge: Charge, bundles: Sequence[Bundle], kept: list[Draw], pools: _Pools) -> list[Draw]:
    """What it draws in all, bundle after bundle, out of what there is."""
    left = charge.usage - add(d.quantity for d in kept)
    before = {d.key: d.quantity for d in kept}
    drawn = []
    for bundle in bundles:
        own, quantity = _own(bundle.scope, charge), NOTHING
        if bundle.scope.takes(charge):
            room = bundle.quantity - pools.used.get((BUNDLE, bundle.key, own), NOTHING)
            quantity = max(NOTHING, min(left, room))
        pools.take([Draw(BUNDLE, bundle.key, own, quantity, NOTHING)])
        left -= quantity
        total = quantity + before.get(bundle.key, NOTHING)
        if total:
            drawn.append(Draw(BUNDLE, bundle.key, own, total, NOTHING))
    return drawn


def _valued(charge: Charge, drawn: Iterable[Draw]) -> list[Draw]:
    """The same draws with what each takes off the amount: one after the other, so that they add up."""
    left, cost, found = charge.usage, charge.amount, []
    for d in drawn:
        left -= d.quantity
        after = remainder(charge, left)
        found.append(Draw(d.kind, d.key, d.own_number, d.quantity, after - cost))
        cost = after
    return found


@dataclass(frozen=True, slots=True)
class _Counted:
    """A record in its tier: what is left of it after bundles, and what of that the tier counts."""

    tier: Tier
    own_number: str
    left: Decimal
    amount: Decimal
    before: Draw | None

    @property
    def pool(self) -> Pool:
        return TIER, self.tier.key, self.own_number

    @property
    def volume(self) -> Decimal:
        return self.left if self.tier.measure == USAGE else max(self.amount, NOTHING)


def _tiered(
    charges: Sequence[Charge], drawn: Sequence[list[Draw]], tiers: Sequence[Tier], pools: _Pools
) -> list[list[Draw]]:
    counted = [_counted(charge, found, tiers) for charge, found in zip(charges, drawn, strict=True)]
    fresh: dict[Pool, Decimal] = {}
    for c in counted:
        if c and c.before:
            pools.used[c.pool] = pools.used.get(c.pool, NOTHING) + c.volume
        elif c:
            fresh[c.pool] = fresh.get(c.pool, NOTHING) + c.volume
    return [
        [_tier_draw(charge, c, _position(c, fresh, pools))] if c else []
        for charge, c in zip(charges, counted, strict=True)
    ]


def _counted(charge: Charge, drawn: Iterable[Draw], tiers: Sequence[Tier]) -> _Counted | None:
    drawn = list(drawn)
    left = charge.usage - add(d.quantity for d in drawn)
    amount = add((charge.amount, *(d.amount for d in drawn)))
    for tier in tiers:
        if tier.scope.takes(charge):
            own = _own(tier.scope, charge)
            before = next((h for h in charge.held if h.pool == (TIER, tier.key, own)), None)
            counted = _Counted(tier, own, left, amount, before)
            return counted if counted.volume else None
    return None


def _position(c: _Counted, fresh: Mapping[Pool, Decimal], pools: _Pools) -> Decimal:
    """Where in the period's volume a record is priced; a corrected one stays where it was."""
    if c.before:
        moved = c.volume - c.before.quantity if c.tier.rule == RETROACTIVE else NOTHING
        return c.before.position + moved
    base = pools.used.get(c.pool, NOTHING)
    if c.tier.rule == RETROACTIVE:
        return base + fresh[c.pool]
    pools.used[c.pool] = base + c.volume
    return base


def _tier_draw(charge: Charge, c: _Counted, position: Decimal) -> Draw:
    volume = c.volume
    whole = c.tier.rule == RETROACTIVE
    parts = [(c.tier.at(position), Decimal(1))] if whole else list(_parts(c.tier, position, volume))
    size = Decimal(1) if whole else volume
    worth = add(multiply(_at_step(charge, c, step), part) for step, part in parts)
    after = _rounded(charge, EXACT.divide(worth, size))
    return Draw(TIER, c.tier.key, c.own_number, volume, after - c.amount, position)


def _parts(tier: Tier, position: Decimal, volume: Decimal) -> Iterator[tuple[TierStep | None, Decimal]]:
    """The pieces of ``[position, position + volume)``, each within one step."""
    end = position + volume
    edges = [position, *(s.after for s in tier.steps if position < s.after < end), end]
    return ((tier.at(a), b - a) for a, b in pairwise(edges))


def _at_step(charge: Charge, c: _Counted, step: TierStep | None) -> Decimal:
    """What the whole record would cost in a step; its connect fee stays under a price."""
    if step is None:
        return c.amount
    if step.price is not None:
        return add((min(charge.fee, c.amount), _priced(step.price, c.left, c.tier.unit)))
    return multiply(c.amount, add((Decimal(1), multiply(step.percent or NOTHING, Decimal("0.01")))))


def _priced(price: Decimal, usage: Decimal, unit: Decimal) -> Decimal:
    return EXACT.divide(multiply(price, usage), unit)


def _rounded(charge: Charge, amount: Decimal) -> Decimal:
    return quantize(amount, charge.rounding_decimals, charge.rounding_mode)
