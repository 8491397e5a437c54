"""The usage lines of an invoice: from sums of record amounts to rounded, described, ordered items."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pipeline.domain.allowances import BUNDLE, NUMBER
from pipeline.domain.invoice import Item
from pipeline.domain.money import minor_unit, plain, to_minor
from pipeline.domain.period import Period, local_day
from pipeline.domain.rounding import quantize
from pipeline.invoice.allowances import AllowanceUsed
from pipeline.invoice.claims import UsageLine

TYPES = ("toll", "toll_free", "bridge", "sms", "mms")
DIRECTIONS = ("outbound", "inbound")
_WORDS = {
    ("toll", "outbound"): ("Outbound calls", "to"),
    ("toll", "inbound"): ("Inbound calls", "from"),
    ("toll_free", "outbound"): ("Outbound toll-free calls", "to"),
    ("toll_free", "inbound"): ("Inbound toll-free calls", "from"),
    ("bridge", "outbound"): ("Calls to conferences and applications", "in"),
    ("bridge", "inbound"): ("Calls from conferences and applications", "in"),
    ("sms", "outbound"): ("SMS sent", "to"),
    ("sms", "inbound"): ("SMS received", "from"),
    ("mms", "outbound"): ("MMS sent", "to"),
    ("mms", "inbound"): ("MMS received", "from"),
}


def ordered(lines: Iterable[UsageLine], period: Period, countries: Mapping[str, str]) -> list[UsageLine]:
    """The order of the page: this period's usage first, then late usage, then corrections."""

    def place(line: UsageLine) -> tuple:
        return (
            line.correction,
            line.period != period,
            -line.period.start.timestamp(),
            _rank(TYPES, line.item_type),
            _rank(DIRECTIONS, line.direction),
            countries.get(line.country_code or "", line.country_code or ""),
            line.country_code or "",
            line.item_type or "",
            line.direction or "",
        )

    return sorted(lines, key=place)


def usage_item(line: UsageLine, period: Period, currency: str, countries: Mapping[str, str]) -> Item:
    """The line as it stands on the invoice of ``period``; fractions of a second are kept in ``detail``."""
    return Item(
        type=line.item_type or "adjustment",
        direction=line.direction,
        country_code=line.country_code,
        description=description(line, period, countries),
        usage=int(quantize(line.usage, 0, "half_up")),
        records=line.records,
        amount_exact=line.amount,
        amount=to_minor(line.amount, currency),
        period=line.period,
        detail=_detail(line, period),
        # A number of no country is a satellite's, or of a service that spans countries.
        abroad=line.country_code is None and (line.item_type, line.direction) == ("toll", "outbound"),
    )


def description(line: UsageLine, period: Period, countries: Mapping[str, str]) -> str:
    """In plain words: ``Outbound calls to Germany``."""
    words, joint = _WORDS.get((line.item_type or "", line.direction or ""), ("Other usage", "in"))
    place = countries.get(line.country_code or "", line.country_code) or "international networks"
    text = words if line.item_type == "bridge" else f"{words} {joint} {place}"
    if line.included:
        text = f"{text}, {_measured(line.included, _measure(line))} of them included"
    if line.correction:
        first = text if text.startswith(("SMS", "MMS")) else text[0].lower() + text[1:]
        return f"Correction of {first}"
    return text if line.period == period else f"{text} (late)"


def usage_words(item_type: str, direction: str | None) -> str:
    """What usage of a type and direction is called: ``Outbound calls``; empty where it is no usage."""
    return _WORDS.get((item_type, direction or ""), ("", ""))[0]


def allowance_note(a: AllowanceUsed, period: Period, currency: str, zone: str) -> str:
    """What an invoice of ``period`` drew from a bundle, or counted in a tier, for people."""
    when = f" That was in the period from {local_day(a.period.start, zone)} on." if a.period != period else ""
    if a.kind != BUNDLE:
        money = f"{plain(to_minor(a.used, currency), decimals=minor_unit(currency), grouped=True)} {currency}"
        used = money if a.measure == "money" else _measured(a.used, a.measure)
        return f"{a.name}: priced by the volume of the period, which was {used}.{when}"
    held = "" if a.quantity is None else f" of {_measured(a.quantity, a.measure)}"
    each = f" for each of {a.pools} numbers" if a.per == NUMBER else ""
    return f"{a.name}: {_measured(a.used, a.measure)} used{held} included{each}.{when}"


def _measure(line: UsageLine) -> str:
    return "units" if line.item_type in ("sms", "mms") else "seconds"


def _measured(quantity: Decimal, measure: str) -> str:
    if measure == "seconds":
        minutes = quantize(quantity / 60, 2, "half_up")
        return f"{plain(minutes, grouped=True)} minutes"
    return f"{plain(quantity, grouped=True)} units"


def _detail(line: UsageLine, period: Period) -> dict[str, object]:
    detail: dict[str, object] = {"usage_exact": plain(line.usage)}
    if line.included:
        detail["included"] = plain(line.included)
    if line.correction:
        detail["correction"] = True
    elif line.period != period:
        detail["late"] = True
    return detail


def _rank(known: tuple[str, ...], word: str | None) -> int:
    return known.index(word) if word in known else len(known)
