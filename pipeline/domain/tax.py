"""Which taxes a place owes on which lines: one item per rule, over the rounded lines that it applies to.

Never a guess. A place whose rules nobody has declared complete gives ``Unplaced`` instead of taxes, because a
missing rule looks exactly like a tax of zero. Rules are dated by the tax point, which is the last day of the
invoice's period in the customer's time zone: the day on which the supply was complete.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.money import add, multiply, to_minor

PLACE_FIELDS = ("country", "state", "county", "city", "zip")


class TaxedPlace(Protocol):
    """Where a customer is taxed; a field that is empty in a rule or a declared place matches any."""

    @property
    def country(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def county(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def zip(self) -> str: ...


class DatedRule(Protocol):
    """One dated tax, in force on ``[start, end)``; ``pipeline.masters.model.TaxRule`` is one."""

    @property
    def rule(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def jurisdiction(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def rate(self) -> Decimal: ...
    @property
    def share(self) -> Decimal: ...
    @property
    def country(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def county(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def items(self) -> tuple[str, ...]: ...
    @property
    def scope(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...
    @property
    def order(self) -> int: ...
    @property
    def legal_source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unplaced:
    """There is no answer for this place; ``reason`` says so in a sentence."""

    reason: str


def tax_items(
    items: Sequence[Item],
    *,
    place: TaxedPlace,
    exempt: str,
    tax_point: date,
    rules: Iterable[DatedRule],
    places: Iterable[TaxedPlace],
    currency: str,
) -> tuple[TaxItem, ...] | Unplaced:
    """The tax items of an invoice with these lines, in the order of the page; none where ``exempt`` gives a reason."""
    if exempt:
        return ()
    if not any(_within(place, declared) for declared in places):
        return Unplaced(f"no tax rules for {_spelled(place)}")
    due = [rule for rule in rules if _within(place, rule) and _in_force(rule, tax_point)]
    due.sort(key=lambda rule: (rule.order, rule.rule))
    made = (_tax(rule, items, place, currency) for rule in due)
    return tuple(tax for tax in made if tax.base)


def _tax(rule: DatedRule, items: Sequence[Item], place: TaxedPlace, currency: str) -> TaxItem:
    base = multiply(rule.share, add(item.amount for item in items if _applies(rule, item, place)))
    amount = to_minor(multiply(rule.rate, base), currency)
    return TaxItem(
        rule.rule, rule.name, rule.jurisdiction, rule.type, base, rule.rate, amount, rule.legal_source
    )


def _applies(rule: DatedRule, item: Item, place: TaxedPlace) -> bool:
    if rule.items and item.type not in rule.items:
        return False
    if rule.scope == "any":
        return True
    domestic = item.country_code in (None, place.country)
    return domestic == (rule.scope == "domestic")


def _in_force(rule: DatedRule, day: date) -> bool:
    return (rule.start is None or rule.start <= day) and (rule.end is None or day < rule.end)


def _within(place: TaxedPlace, wanted: object) -> bool:
    # Towns and states are typed by people: case and outer blanks do not make another place.
    wishes = ((name, getattr(wanted, name, "")) for name in PLACE_FIELDS)
    return all(_same(getattr(place, name), wish) for name, wish in wishes if wish)


def _same(a: str, b: str) -> bool:
    return a.strip().casefold() == b.strip().casefold()


def _spelled(place: TaxedPlace) -> str:
    return (
        ", ".join(filter(None, (getattr(place, name) for name in reversed(PLACE_FIELDS)))) or "an empty place"
    )
