"""Which taxes a place owes on which lines: one item per rule, over the rounded lines that it applies to.

Never a guess. A place whose rules nobody has declared complete gives ``Unplaced`` instead of taxes, because a
missing rule looks exactly like a tax of zero. So does a rule that has run out: a quarterly factor without a row for
this quarter is not a tax that was abolished, and one that was abolished says so with a row of rate 0. Rules are dated
by the tax point, which is the last day of the invoice's period in the customer's time zone: the day on which the
supply was complete. What a seller's own traffic study says of its calls takes the place of a rule's share.

An outside tax engine answers the same question: a function from ``Supply`` to ``Assessment`` or ``Unplaced``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.money import add, multiply, to_minor
from pipeline.domain.period import in_force

PLACE_FIELDS = ("country", "state", "county", "city", "zip")
# What a fixed amount is due for: each number rented, each line of the page, the invoice.
NUMBER, LINE, INVOICE = "number", "line", "invoice"
PERCENT, FIXED, MINIMUM, MAXIMUM, REVERSE = "percent", "fixed", "minimum", "maximum", "reverse_charge"
NUMBERS = "did"


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
    """One dated tax, in force on ``[start, end)``; ``pipeline.masters.model.TaxRule`` is one and says what is what."""

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
    def per(self) -> str: ...
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
    def zip(self) -> str: ...
    @property
    def items(self) -> tuple[str, ...]: ...
    @property
    def direction(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def on(self) -> tuple[str, ...]: ...
    @property
    def minimum(self) -> Decimal | None: ...
    @property
    def maximum(self) -> Decimal | None: ...
    @property
    def reverse_charge(self) -> bool: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...
    @property
    def order(self) -> int: ...
    @property
    def legal_source(self) -> str: ...


class DatedExemption(Protocol):
    """A certificate that frees one customer, on ``[start, end)``, from rules of a name, type or jurisdiction; empty
    matches any."""

    @property
    def partner_sid(self) -> str: ...
    @property
    def certificate(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def jurisdiction(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...


class DatedShare(Protocol):
    """The part of a seller's lines that a rule applies to, by the seller's own ``document``, on ``[start, end)``."""

    @property
    def seller(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def share(self) -> Decimal: ...
    @property
    def document(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Supply:
    """What is taxed: the rounded lines of one invoice, who gets them where, and who sells from which country.

    ``exempt`` is a reason for no taxes at all, ``tax_id`` the customer's own number for value added tax, ``seller``
    the key of who sells.
    """

    items: Sequence[Item]
    partner_sid: str
    place: TaxedPlace
    tax_point: date
    currency: str
    seller_country: str = ""
    tax_id: str = ""
    exempt: str = ""
    seller: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The tax items in the order of the page, and a sentence for each tax that is due and not charged."""

    items: tuple[TaxItem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """There is no answer for this place; ``reason`` says so in a sentence."""

    reason: str


Taxer = Callable[[Supply], Assessment | Unplaced]


def assess(
    supply: Supply,
    rules: Iterable[DatedRule],
    places: Iterable[TaxedPlace],
    exemptions: Iterable[DatedExemption] = (),
    shares: Iterable[DatedShare] = (),
) -> Assessment | Unplaced:
    """The taxes of a supply; none where ``exempt`` gives a reason."""
    if supply.exempt:
        return Assessment(notes=(f"No taxes are charged: {supply.exempt}.",))
    if not _declared(supply.place, places):
        return Unplaced(_undeclared(supply.place))
    here = [rule for rule in rules if _within(supply.place, rule)]
    studied = {s.rule: s for s in shares if _studied(s, supply)}
    for rule in _run_out(here, supply.tax_point):
        if _tax(rule, supply, {}, None) is not None:
            return Unplaced(_missing(rule))
    due = sorted(
        (r for r in here if in_force(r.start, r.end, supply.tax_point)), key=lambda r: (r.order, r.rule)
    )
    own = [e for e in exemptions if e.partner_sid == supply.partner_sid]
    own = [e for e in own if in_force(e.start, e.end, supply.tax_point)]
    return _assess(supply, due, own, studied)


def lacking(
    place: TaxedPlace, day: date, rules: Iterable[DatedRule], places: Iterable[TaxedPlace]
) -> tuple[str, ...]:
    """What the tables do not say of a place and a day, in sentences; a tax of its lines may be among it."""
    if not _declared(place, places):
        return (_undeclared(place),)
    here = [rule for rule in rules if _within(place, rule)]
    return tuple(_missing(rule) for rule in _run_out(here, day))


def _assess(
    supply: Supply,
    due: Iterable[DatedRule],
    own: Iterable[DatedExemption],
    studied: Mapping[str, DatedShare],
) -> Assessment:
    made: dict[str, TaxItem] = {}
    notes: list[str] = []
    for rule in due:
        tax = _tax(rule, supply, made, studied.get(rule.rule))
        certificate = next((e.certificate for e in own if _frees(e, rule)), None)
        if tax is None:
            continue
        if certificate is not None:
            notes.append(f"{rule.name} is not charged: {certificate}.")
        else:
            made[rule.rule] = tax
            if tax.method == REVERSE:
                notes.append(
                    f"Reverse charge: the recipient owes the tax ({rule.name}, {rule.legal_source})."
                )
    return Assessment(tuple(made.values()), tuple(notes))


def _declared(place: TaxedPlace, places: Iterable[TaxedPlace]) -> bool:
    return any(_within(place, declared) for declared in places)


def _undeclared(place: TaxedPlace) -> str:
    return f"no tax rules for {_spelled(place)}: add what is due there to taxes.csv and the place to tax_places.csv"


def _missing(rule: DatedRule) -> str:
    return (
        f"the tax rule {rule.rule} ends on {rule.end} and nothing follows it: add its next row to taxes.csv, "
        "with rate 0 if the tax is gone"
    )


def _studied(share: DatedShare, supply: Supply) -> bool:
    return share.seller == supply.seller and in_force(share.start, share.end, supply.tax_point)


def _run_out(here: Iterable[DatedRule], day: date) -> list[DatedRule]:
    """The last row of each rule that has ended by ``day``, in the order of their names."""
    last: dict[tuple[str, ...], DatedRule] = {}
    for rule in here:
        if rule.start is not None and rule.start > day:
            continue
        key = (rule.rule, rule.country, rule.state, rule.county, rule.city, rule.zip)
        if key not in last or (last[key].start or date.min) <= (rule.start or date.min):
            last[key] = rule
    ended = (rule for rule in last.values() if rule.end is not None and rule.end <= day)
    return sorted(ended, key=lambda rule: rule.rule)


def _tax(
    rule: DatedRule, supply: Supply, before: Mapping[str, TaxItem], studied: DatedShare | None
) -> TaxItem | None:
    """The item of a rule; None where there is nothing that it applies to. ``before`` are the taxes that it may tax."""
    share = studied.share if studied else rule.share
    taxed = [n for n, item in enumerate(supply.items, start=1) if _applies(rule, item, supply.place)]
    lines = [supply.items[n - 1] for n in taxed]
    if rule.per:
        base = Decimal(_count(rule.per, lines))
    else:
        below = [before[name].amount for name in rule.on if name in before]
        base = add((multiply(share, add(line.amount for line in lines)), *below))
    if not base:
        return None
    amount, method = _amount(rule, supply, base)
    rate = Decimal(0) if method == REVERSE else rule.rate
    return TaxItem(
        rule.rule,
        rule.name,
        rule.jurisdiction,
        rule.type,
        base,
        rate,
        amount,
        f"{rule.legal_source}; share by {studied.document}" if studied else rule.legal_source,
        method,
        rule.per,
        tuple(taxed),
        rule.on,
        share,
    )


def _amount(rule: DatedRule, supply: Supply, base: Decimal) -> tuple[Decimal, str]:
    if rule.reverse_charge and supply.tax_id and supply.seller_country not in ("", supply.place.country):
        return to_minor(Decimal(0), supply.currency), REVERSE
    amount = to_minor(multiply(rule.rate, base), supply.currency)
    if rule.minimum is not None and 0 < amount < rule.minimum:
        return to_minor(rule.minimum, supply.currency), MINIMUM
    if rule.maximum is not None and amount > rule.maximum:
        return to_minor(rule.maximum, supply.currency), MAXIMUM
    return amount, FIXED if rule.per else PERCENT


def _count(per: str, lines: Sequence[Item]) -> int:
    if per == NUMBER:
        # Rent in advance stands for a number once; its first days have a line of their own beside it.
        return sum(line.usage for line in lines if line.type == NUMBERS and line.detail.get("rent") != "new")
    if per == LINE:
        return sum(1 for line in lines if not line.taxed_as)
    return int(bool(lines))


def _applies(rule: DatedRule, item: Item, place: TaxedPlace) -> bool:
    # An adjustment is taxed as what it corrects.
    if rule.items and (item.taxed_as or item.type) not in rule.items:
        return False
    if rule.direction and item.direction != rule.direction:
        return False
    if rule.scope == "any":
        return True
    domestic = not item.abroad and item.country_code in (None, place.country)
    return domestic == (rule.scope == "domestic")


def _frees(exemption: DatedExemption, rule: DatedRule) -> bool:
    wanted = (
        (exemption.rule, rule.rule),
        (exemption.type, rule.type),
        (exemption.jurisdiction, rule.jurisdiction),
    )
    return all(not wish or wish == actual for wish, actual in wanted)


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
