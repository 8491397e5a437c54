"""Retail prices made from the provider's: "its rate plus 20 %, at least 0.002".

A markup is a list of rules; of those that fit a row the one with the longest prefix decides, then one that names its
country, then the rule for all rows. A price is raised by the percentage, then by the fixed amount, rounded once, and
only then held between floor and cap: so a floor is never rounded away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from pipeline.domain.rounding import EXACT, quantize

PRICE_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class MarkupRule:
    """What is put on a price; empty ``prefix`` and ``country_code`` fit every row.

    ``percent`` may be negative. ``decimals`` is how many the price keeps, and ``rounding`` how: ``half_up``, ``up``,
    ``down`` or ``half_even``.
    """

    percent: Decimal = Decimal(0)
    add: Decimal = Decimal(0)
    floor: Decimal | None = None
    cap: Decimal | None = None
    decimals: int = PRICE_DECIMALS
    rounding: str = "half_up"
    prefix: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True)
class Markup:
    """A retail plan ``plan_sid`` that follows a plan of the provider."""

    plan_sid: str
    service: str
    direction: str
    family: str
    rules: tuple[MarkupRule, ...]
    name: str = ""

    def rule_for(self, prefix: str, country_code: str | None) -> MarkupRule | None:
        """The rule of a row; None where the row is not sold."""
        fitting = [r for r in self.rules if _fits(r, prefix, country_code)]
        return max(fitting, key=lambda r: (len(r.prefix), bool(r.country_code)), default=None)


def marked_up(price: Decimal, rule: MarkupRule) -> Decimal:
    """The retail price of a provider's price."""
    with localcontext(EXACT):
        raised = price * (100 + rule.percent) / 100 + rule.add
    rounded = quantize(raised, rule.decimals, rule.rounding)
    if rule.floor is not None and rounded < rule.floor:
        return rule.floor
    if rule.cap is not None and rounded > rule.cap:
        return rule.cap
    return rounded


def prices(markup: Markup, rows: Sequence[tuple[str, str | None, Decimal | None]]) -> list[Decimal | None]:
    """The retail price of each (prefix, country, provider's price); None where there is no price or no rule."""
    known: dict[tuple[MarkupRule, Decimal], Decimal] = {}
    found: list[Decimal | None] = []
    for prefix, country, price in rows:
        rule = markup.rule_for(prefix, country) if price is not None else None
        if rule is None or price is None:
            found.append(None)
            continue
        if (rule, price) not in known:
            known[rule, price] = marked_up(price, rule)
        found.append(known[rule, price])
    return found


def _fits(rule: MarkupRule, prefix: str, country_code: str | None) -> bool:
    return prefix.startswith(rule.prefix) and rule.country_code in ("", country_code)
