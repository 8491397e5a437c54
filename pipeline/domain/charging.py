"""What a call costs once its rows are known: whole seconds, minimum and increments, parts, fee, limits, one rounding.

Increments follow one another from the start of the call without a gap and never begin anew; each is charged to its end
at the price that holds when it begins. Under the rule ``after_minimum`` the minimum is the first increment. A call that
is shorter than its minimum costs what one of that length costs. The row in whose time a call begins gives all its
terms; rows for other windows give their prices and steps.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from zoneinfo import ZoneInfo

from pipeline.domain.rate_plan import Rate, RateGroup, RatePlan
from pipeline.domain.rounding import EXACT, quantize
from pipeline.domain.windows import spans

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Part:
    """``seconds`` of a call at one price, from ``begin`` on; ``price`` is None where no row holds or it is blocked."""

    begin: Decimal
    seconds: Decimal
    window: str
    rate: Rate | None
    price: Decimal | None


def whole_base(base: Decimal, base_rounding: str) -> Decimal:
    """The seconds that count, floored or rounded to whole ones if the plan says so."""
    if base_rounding == "exact" or base <= 0:
        return base
    return base.quantize(Decimal(1), rounding=ROUND_FLOOR if base_rounding == "floor" else ROUND_HALF_UP)


def billed_seconds(base: Decimal, rate: Rate, increment_rule: str) -> Decimal:
    """The base after minimum and increments.

    ``total`` rounds the whole up to increments and then takes the minimum; ``after_minimum`` counts increments only
    from the end of the minimum.
    """
    if increment_rule == "total":
        return max(rate.minimum, _whole(base, rate.increment))
    if base <= rate.minimum:
        return rate.minimum
    return rate.minimum + _whole(base - rate.minimum, rate.increment)


def parts_of(
    group: RateGroup, plan: RatePlan, rate: Rate, began: datetime, billed: Decimal
) -> tuple[Part, ...]:
    """The parts of a call of ``billed`` seconds that began in the time of ``rate``, in order."""
    windows = _windows(group, plan, began, billed)
    steps = {step.after_seconds for r in group.rates for step in r.steps}
    edges = sorted({begin for begin, _ in windows} | {s for s in steps if s < billed})
    opening = rate.minimum if plan.increment_rule == "after_minimum" and rate.minimum else rate.increment
    starts = [min(billed, _next_start(edge, opening, rate.increment)) for edge in edges]
    made: list[Part] = []
    for edge, start, end in zip(edges, starts, [*starts[1:], billed], strict=True):
        if start < end:
            window = [name for begin, name in windows if begin <= edge][-1]
            row = group.at(window)
            made.append(Part(start, end - start, window, row, _price(row, edge)))
    return tuple(made)


def why_unpriced(parts: tuple[Part, ...], rate: Rate) -> str | None:
    """Why parts of a call have no price, or none that can be added to the others."""
    if any(part.rate is None for part in parts):
        return "no_window"
    if any(part.price is None for part in parts):
        return "blocked"
    return "mixed_units" if any(part.rate and part.rate.unit != rate.unit for part in parts) else None


def call_amount(parts: tuple[Part, ...], rate: Rate, plan: RatePlan) -> Decimal:
    """``connect_fee + price * billed / unit``, within the least and largest charge, rounded once."""
    with localcontext(EXACT):
        exact = rate.connect_fee + sum((p.price or 0) * p.seconds for p in parts) / rate.unit
        if rate.min_charge is not None:
            exact = max(exact, rate.min_charge)
        if rate.max_charge is not None:
            exact = min(exact, rate.max_charge)
        return quantize(exact, plan.rounding_decimals, plan.rounding_mode)


def _windows(group: RateGroup, plan: RatePlan, began: datetime, billed: Decimal) -> list[tuple[Decimal, str]]:
    """The windows that a call passes through, each with the second of the call at which it begins."""
    if not group.timed:
        return [(Decimal(0), "")]
    end = began + int(billed * 1000) * _MILLISECOND
    cut = spans(plan.windows, ZoneInfo(plan.time_zone), began, end)
    return [(Decimal((start - began) // _MILLISECOND) / 1000, name) for start, _, name in cut]


def _next_start(edge: Decimal, opening: Decimal, increment: Decimal) -> Decimal:
    """Where the first increment begins that begins no earlier than ``edge``."""
    if edge <= 0:
        return Decimal(0)
    return opening if edge <= opening else opening + _whole(edge - opening, increment)


def _price(rate: Rate | None, second: Decimal) -> Decimal | None:
    if rate is None or not rate.priced:
        return None
    begun = [step.price for step in rate.steps if step.after_seconds <= second]
    return begun[-1] if begun else rate.price


def _whole(seconds: Decimal, increment: Decimal) -> Decimal:
    count, rest = divmod(seconds, increment)
    return (count + (1 if rest else 0)) * increment
