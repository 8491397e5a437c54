"""The lines of discounts and of what a minimum commitment is short of.

Both go by the rounded lines that stand on the invoice before them, so that the customer can check them on the page. A
discount is one line for each kind of usage at home and abroad, because that is what taxes tell apart: it has the dates
of what it is taken from, and bears its taxes. It holds where it is in force on the last day of a line's own period, as
taxes do. Discounts go in their order, each on what the earlier ones left.

A commitment counts the lines of its period after discounts. Late usage counts for its own period: where that was short,
what was billed for it is given back as far as it is reached by now.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from pipeline.domain.charges import (
    NOTHING,
    ONE_OFF,
    SHORTFALL,
    Commitment,
    Discount,
    Reached,
    committed,
    held_in,
    reductions,
    shortfall,
)
from pipeline.domain.invoice import Item
from pipeline.domain.money import add, plain, to_minor
from pipeline.domain.period import Period, in_force, last_day
from pipeline.invoice.charges import days_and_whole
from pipeline.invoice.due import Due
from pipeline.invoice.lines import usage_words
from pipeline.invoice.parts import ABOVE, COMMITTED, COUNTED, DISCOUNT, Line, Part
from pipeline.masters.model import Customer, Masters

_ADJUSTMENT = "adjustment"
# What has to be named to be meant.
_NAMED_ONLY = frozenset({_ADJUSTMENT, ONE_OFF, SHORTFALL})
_NAMES = {
    "did": "Phone numbers",
    "recurring": "Recurring charges",
    ONE_OFF: "One-off charges",
    _ADJUSTMENT: "Adjustments",
    "did_lookup_carrier": "Carrier lookups",
    "did_lookup_cnam": "Caller name lookups",
    "did_lookup_lrn": "Routing number lookups",
    "transcription_low": "Transcription, low",
    "transcription_average": "Transcription, average",
    "transcription_high": "Transcription, high",
    "tts": "Text to speech",
}
_REMEMBERED = (COMMITTED, COUNTED, ABOVE)
# What a line is to a discount, and to taxes: word, item type, direction, whether it is abroad, and its period.
_Kind = tuple[str, str, str | None, bool, Period]


def discount_lines(due: Due, items: Sequence[Item], masters: Masters) -> list[Line]:
    """The discounts on these lines, which are numbered from 1."""
    customer = due.account.customer
    left = {n: item.amount for n, item in enumerate(items, start=1)}
    lines: list[Line] = []
    for discount in held_in(customer.partner_sid, customer.currency, masters.discounts):
        meant = [n for n, item in enumerate(items, start=1) if _is_on(discount, item, due)]
        taken = reductions(discount, [left[n] for n in meant], customer.currency)
        for n, amount in zip(meant, taken, strict=True):
            left[n] -= amount
        lines += _discounted(discount, due, items, {n: a for n, a in zip(meant, taken, strict=True) if a})
        if discount.below_zero and discount.amount and not any(taken) and _in_force(discount, due):
            lines.append(_off(discount, due, ("", "", None, False, due.period), {0: discount.amount}, items))
    return lines


def commitment_lines(due: Due, items: Sequence[Item], masters: Masters, before: Sequence[Part]) -> list[Line]:
    """What commitments ask for, the lines of the invoice being ``items``, numbered from 1."""
    customer, found = due.account.customer, []
    for commitment in held_in(customer.partner_sid, customer.currency, masters.commitments):
        mine = [p for p in before if p.key == commitment.key and p.kind in _REMEMBERED]
        earlier = sorted({part.period for part in mine if part.kind == COMMITTED}, reverse=True)
        for period in (due.period, *(p for p in earlier if p.start < due.period.start)):
            counted = {
                n: item
                for n, item in enumerate(items, start=1)
                if _means(commitment.items, item) and _belongs(item, period, due.period)
            }
            line = _committed(commitment, due, period, counted, [p for p in mine if p.period == period])
            found += [line] if line else []
    return found


def word_of(item: Item) -> str:
    """What a line is to discounts and commitments: its item type, or the kind of charge that it is."""
    return str(item.detail.get("off") or item.detail.get("charge") or item.type)


def _means(words: tuple[str, ...], item: Item) -> bool:
    word = word_of(item)
    return word in words if words else word not in _NAMED_ONLY


def _is_on(discount: Discount, item: Item, due: Due) -> bool:
    if not _means(discount.items, item):
        return False
    if discount.percent is None:
        return _in_force(discount, due)
    day = last_day(item.period, due.account.customer.time_zone)
    return in_force(discount.start, discount.end, day)


def _in_force(discount: Discount, due: Due) -> bool:
    return in_force(discount.start, discount.end, last_day(due.period, due.account.customer.time_zone))


def _discounted(
    discount: Discount, due: Due, items: Sequence[Item], taken: Mapping[int, Decimal]
) -> Iterable[Line]:
    kinds: dict[_Kind, dict[int, Decimal]] = {}
    for n, amount in taken.items():
        kinds.setdefault(_kind(items[n - 1], due.account.customer), {})[n] = amount
    return [_off(discount, due, kind, amounts, items) for kind, amounts in kinds.items()]


def _kind(item: Item, customer: Customer) -> _Kind:
    taxed = item.taxed_as or ("" if item.type == _ADJUSTMENT else item.type)
    abroad = item.abroad or item.country_code not in (None, customer.place.country)
    return word_of(item), taxed, item.direction, abroad, item.period


def _off(
    discount: Discount, due: Due, kind: _Kind, amounts: Mapping[int, Decimal], items: Sequence[Item]
) -> Line:
    """The line of a discount on lines of one kind; line 0 stands for none."""
    word, taxed, direction, abroad, period = kind
    customer = due.account.customer
    days, _ = days_and_whole(period, customer.time_zone, customer.anchor_day)
    exact = -add(amounts.values())
    countries = {items[n - 1].country_code for n in amounts if n}
    country = countries.pop() if len(countries) == 1 else None
    parts = tuple(
        Part(
            DISCOUNT,
            discount.key,
            items[n - 1].description if n else discount.name,
            -amount,
            period,
            days[0],
            days[-1],
            of_line_no=n or None,
        )
        for n, amount in amounts.items()
    )
    percent = "" if discount.percent is None else plain(discount.percent)
    detail = {"charge": DISCOUNT, "key": discount.key, "off": word, "percent": percent, "taxed_as": taxed}
    item = Item(
        type=_ADJUSTMENT,
        direction=direction,
        country_code=country,
        description=_said(discount, word, direction, abroad=abroad),
        usage=0,
        records=0,
        amount_exact=exact,
        amount=to_minor(exact, customer.currency),
        period=period,
        detail={name: value for name, value in detail.items() if value},
        taxed_as=taxed,
        abroad=abroad and country is None,
    )
    return Line(item, parts)


def _said(discount: Discount, word: str, direction: str | None, *, abroad: bool) -> str:
    if not word:
        return discount.name
    named = usage_words(word, direction) or _NAMES[word]
    named = named if named.startswith(("SMS", "MMS")) else named[0].lower() + named[1:]
    off = f"{plain(discount.percent)} % off" if discount.percent is not None else "off"
    return f"{discount.name}: {off} {named}{' abroad' if abroad else ''}"


def _belongs(item: Item, period: Period, own: Period) -> bool:
    """Whether a line counts for a period: the invoice's own has what is billed ahead too."""
    if period == own:
        return item.period.start >= own.start
    return item.period == period


def _committed(
    commitment: Commitment, due: Due, period: Period, counted: Mapping[int, Item], before: Sequence[Part]
) -> Line | None:
    customer = due.account.customer
    days, whole = days_and_whole(period, customer.time_zone, customer.anchor_day)
    minimum = NOTHING if before else committed(commitment, days, whole)
    if not before and not minimum:
        return None
    reached = _reached(before)
    total = add(item.amount for item in counted.values())
    exact = shortfall(reached, minimum, total)
    named = (commitment.key, commitment.name)
    first, last = days[0], days[-1]
    parts: list[Part] = []
    if minimum:
        parts.append(Part(COMMITTED, *named, minimum, period, first, last, price=commitment.amount))
    for n, item in counted.items():
        what = (commitment.key, item.description)
        parts.append(Part(COUNTED, *what, -item.amount, period, first, last, of_line_no=n))
    if above := exact - (minimum - total):
        parts.append(Part(ABOVE, *named, above, period, first, last))
    if not exact:
        return Line(None, tuple(parts)) if parts else None
    minimum, total = reached.committed + minimum, reached.counted + total
    return Line(_short(commitment, customer, period, exact, minimum, total), tuple(parts))


def _reached(before: Iterable[Part]) -> Reached:
    sums = dict.fromkeys(_REMEMBERED, NOTHING)
    for part in before:
        sums[part.kind] += part.amount
    return Reached(sums[COMMITTED], -sums[COUNTED], add(sums.values()))


def _short(
    commitment: Commitment,
    customer: Customer,
    period: Period,
    exact: Decimal,
    minimum: Decimal,
    reached: Decimal,
) -> Item:
    figures = f"minimum of {minimum:,.2f}, {reached:,.2f} reached"
    if exact < 0:
        figures = f"given back, {figures}"
    detail = {"charge": SHORTFALL, "key": commitment.key, "taxed_as": commitment.taxed_as}
    return Item(
        type=_ADJUSTMENT,
        direction=None,
        country_code=None,
        description=f"{commitment.name}: {figures}",
        usage=0,
        records=0,
        amount_exact=exact,
        amount=to_minor(exact, customer.currency),
        period=period,
        detail={name: value for name, value in detail.items() if value},
        taxed_as=commitment.taxed_as,
    )
