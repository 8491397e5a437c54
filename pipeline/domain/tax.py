"""Which taxes a place owes on which lines: one item per rule, over the rounded lines that it applies to.

Never a guess. A place whose rules nobody has declared complete gives ``Unplaced`` instead of taxes, because a
missing rule looks exactly like a tax of zero. So does a rule that has run out: a quarterly factor without a row for
this quarter is not a tax that was abolished, and one that was abolished says so with a row of rate 0. What a seller's
own traffic study says of its calls takes the place of a rule's share.

Rules are dated by the tax point, which is the last day of the invoice's period in the customer's time zone: the day on
which the supply was complete. A value added tax is owed at the rate of that day, so lines of an earlier period (late,
corrected, billed again) bear it as it was on the last day of their own: what a credit note gives back of a supply is
what the supply is taxed with when it is billed again. Such lines are an item of their own, ``vat@2026-06-30`` for the
row that ended then. Other taxes are on what is billed, and go by the invoice.

An outside tax engine answers the same question: a function from ``Supply`` to ``Assessment`` or ``Unplaced``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.money import add, multiply, to_minor
from pipeline.domain.period import in_force
from pipeline.domain.taxtables import DatedExemption, DatedRule, DatedShare, TaxedPlace

PLACE_FIELDS = ("country", "state", "county", "city", "zip")
# What a fixed amount is due for: each number rented, each line of the page, the invoice.
NUMBER, LINE, INVOICE = "number", "line", "invoice"
PERCENT, FIXED, MINIMUM, MAXIMUM, REVERSE = "percent", "fixed", "minimum", "maximum", "reverse_charge"
NUMBERS = "did"
VALUE_ADDED = "service_tax"
_OF = "@"


@dataclass(frozen=True, slots=True)
class Supply:
    """What is taxed: the rounded lines of one invoice, who gets them where, and who sells from which country.

    ``exempt`` is a reason for no taxes at all, ``tax_id`` the customer's own number for value added tax, ``seller``
    the key of who sells. ``own_days`` are the last days of the lines' own periods; without them, all are the invoice's.
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
    own_days: Sequence[date] = ()


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
        ended = [n for n in _lines(rule, supply) if rule.end and rule.end <= _day(rule, supply, n)]
        if _tax(rule, supply, ended, {}, None) is not None:
            return Unplaced(_missing(rule))
    dated = sorted(here, key=lambda r: (r.order, r.rule, r.start or date.min))
    return _assess(supply, dated, [e for e in exemptions if e.partner_sid == supply.partner_sid], studied)


def of_rule(item: str, tax_point: date) -> tuple[str, date]:
    """The rule that a tax item is of, and a day on which its row was in force."""
    rule, _, day = item.partition(_OF)
    return rule, date.fromisoformat(day) if day else tax_point


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
    dated: Iterable[DatedRule],
    own: Sequence[DatedExemption],
    studied: Mapping[str, DatedShare],
) -> Assessment:
    made: dict[str, TaxItem] = {}
    notes: list[str] = []
    for rule in dated:
        now = in_force(rule.start, rule.end, supply.tax_point)
        taxed = [n for n in _lines(rule, supply) if in_force(rule.start, rule.end, _day(rule, supply, n))]
        below = {
            key: tax for key, tax in made.items() if now and of_rule(key, supply.tax_point)[0] in rule.on
        }
        share = studied.get(rule.rule)
        if _tax(rule, supply, taxed, below, share) is None:
            continue
        freed = {n: c for n in taxed if (c := _certificate(own, rule, _day(rule, supply, n)))}
        if now and (certificate := _certificate(own, rule, supply.tax_point)):
            below, freed = {}, {0: certificate, **freed}
        notes += [f"{rule.name} is not charged: {c}." for c in list(freed.values())[:1]]
        tax = _tax(rule, supply, [n for n in taxed if n not in freed], below, share)
        if tax is None:
            continue
        made[tax.rule] = tax
        if tax.method == REVERSE:
            notes.append(f"Reverse charge: the recipient owes the tax ({rule.name}, {rule.legal_source}).")
    return Assessment(tuple(made.values()), tuple(dict.fromkeys(notes)))


def _lines(rule: DatedRule, supply: Supply) -> list[int]:
    """The numbers of the lines that a rule is about, whenever it is in force."""
    return [n for n, item in enumerate(supply.items, start=1) if _applies(rule, item, supply.place)]


def _day(rule: DatedRule, supply: Supply, number: int) -> date:
    """The day by whose row a line is taxed."""
    whole = rule.per or rule.minimum is not None or rule.maximum is not None
    if rule.type != VALUE_ADDED or whole or not supply.own_days:
        return supply.tax_point
    return min(supply.own_days[number - 1], supply.tax_point)


def _certificate(own: Iterable[DatedExemption], rule: DatedRule, day: date) -> str | None:
    return next((e.certificate for e in own if in_force(e.start, e.end, day) and _frees(e, rule)), None)


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
    rule: DatedRule,
    supply: Supply,
    taxed: Sequence[int],
    below: Mapping[str, TaxItem],
    studied: DatedShare | None,
) -> TaxItem | None:
    """The item of a rule on these lines; None where there is nothing to tax. ``below`` are the taxes that it taxes."""
    share = studied.share if studied else rule.share
    lines = [supply.items[n - 1] for n in taxed]
    if rule.per:
        base = Decimal(_count(rule.per, lines))
    else:
        base = add((multiply(share, add(line.amount for line in lines)), *(t.amount for t in below.values())))
    # Lines that cancel out bear a tax of nothing: a credit note may take back some of them.
    if not base and (rule.per or not any(line.amount for line in lines)):
        return None
    amount, method = _amount(rule, supply, base)
    rate = Decimal(0) if method == REVERSE else rule.rate
    return TaxItem(
        _named(rule, supply.tax_point),
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
        tuple(below),
        share,
    )


def _named(rule: DatedRule, tax_point: date) -> str:
    if rule.end is None or tax_point < rule.end:
        return rule.rule
    return f"{rule.rule}{_OF}{rule.end - timedelta(days=1)}"


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
