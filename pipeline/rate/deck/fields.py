"""Reads one field of a rate deck, strictly, in the ways that carriers write it.

A text that could be read in two ways is refused: ``1,234`` is a thousand to one carrier and little more than one to
another, and ``03/04/2026`` is in March or in April. Texts repeat over a deck and are read once, see ``rows``.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from pipeline.domain import written
from pipeline.domain.countries import ALPHA_3
from pipeline.domain.steps import Step, steps_of
from pipeline.rate.deck.text import RefusedError, hint

LONGEST_SECONDS = 86_400
JURISDICTIONS = ("interstate", "intrastate", "local", "international", "indeterminate")
ANY_JURISDICTION = frozenset(("any", "all"))
NO_PRICE = frozenset(
    """blocked|barred|closed|n/a|na|n.a.|none|not available|unavailable|not offered|not supported|no route|
    -|--|tbd|suspended""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_ACTIVE = frozenset(
    """active|current|open|enabled|valid|yes|same|unchanged|no change|new|new code|increase|increased|decrease|
    decreased|up|down|other|changed|change|add|added|future|pending|effective|opened|terms|ends""".replace(
        "\n", ""
    )
    .replace("    ", "")
    .split("|")
)
_BLOCKED = frozenset("blocked|block|barred|closed|disabled|inactive|suspended|not available|no".split("|"))
_GONE = frozenset("gone|deleted|delete|removed|remove|withdrawn|discontinued|expired|code deleted".split("|"))
ACTIVE, BLOCKED, GONE = "active", "blocked", "gone"
_MONEY = re.compile(r"[0-9]{1,4}(\.[0-9]{1,12})?\Z")
_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?\Z")
_SIGNS = {"$": "D", "US$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "C$": "CAD", "A$": "AUD", "\u20b9": "INR"}
_SIGN = re.compile(
    r"(?P<before>[A-Za-z]{3}|[A-Z]{0,2}\$|[\u20ac\u00a3\u20b9])?\s*(?P<number>[-+]?[0-9.,]+([eE][-+]?[0-9]+)?)\s*(?P<after>[A-Za-z]{3}|\$|[\u20ac\u00a3\u20b9])?\Z"
)
_NO_COMMA_FOR_THOUSANDS = re.compile(r"(0,[0-9]+|[0-9]+,([0-9]{1,2}|[0-9]{4,}))\Z")


def price(text: str, currency: str, decimal: str) -> Decimal | None:
    """A price, or None for a word that says there is none."""
    return None if text.lower() in NO_PRICE else money(text, currency, decimal)


def money(text: str, currency: str = "USD", decimal: str = ".") -> Decimal:
    """An amount, with or without the currency's sign."""
    found = _SIGN.match(text)
    if not found:
        raise RefusedError(hint(text, "is no amount below 10000 with up to 12 decimals"))
    for sign in (found["before"], found["after"]):
        _check_sign(sign, currency)
    number = _with_point(found["number"], decimal)
    if not _MONEY.match(number):
        raise RefusedError(hint(number, "is no amount below 10000 with up to 12 decimals"))
    return Decimal(number)


def _check_sign(sign: str | None, currency: str) -> None:
    if sign and not currency.endswith(_SIGNS.get(sign, sign.upper())):
        msg = f"is not in {currency}: say --currency, or correct the sign"
        raise RefusedError(msg)


def _with_point(number: str, decimal: str) -> str:
    if decimal == "," and number.count(",") == 1 and "." not in number:
        return number.replace(",", ".")
    if "," not in number and not (decimal == "," and "." in number):
        return number
    if _NO_COMMA_FOR_THOUSANDS.match(number):
        return number.replace(",", ".")
    msg = "can be read in two ways: write decimals with a point alone, or with a comma alone and say --decimal ,"
    raise RefusedError(msg)


def seconds(text: str) -> Decimal:
    """A duration."""
    if not _SECONDS.match(text) or Decimal(text) > LONGEST_SECONDS:
        raise RefusedError(hint(text, "is no number of seconds up to 86400 with up to 3 decimals"))
    return Decimal(text)


def positive_seconds(text: str) -> Decimal:
    """A unit."""
    value = seconds(text)
    if value <= 0:
        msg = "is not above 0"
        raise RefusedError(msg)
    return value


def minimum_and_increment(text: str) -> tuple[Decimal | None, Decimal]:
    """``60/6`` is a minimum of 60 and an increment of 6; one number is the increment."""
    first, slash, second = (part.strip() for part in text.partition("/"))
    return (seconds(first), seconds(second)) if slash else (None, seconds(first))


def digits(text: str) -> str:
    """An origin prefix."""
    if not re.fullmatch(r"\+?[0-9]{0,20}", text):
        raise RefusedError(hint(text, "is not digits only"))
    return text.lstrip("+")


def country(text: str) -> str:
    """An alpha-3 code; two letters are looked up."""
    if text.upper() in ALPHA_3:
        return ALPHA_3[text.upper()]
    if not re.fullmatch("[A-Z]{3}", text):
        msg = "is no three-letter code such as DEU; correct it, or leave the column out with --ignore"
        raise RefusedError(msg)
    return text


def network(text: str) -> int:
    """A mobile country or network code."""
    if not re.fullmatch("[0-9]{1,3}", text):
        msg = "is not up to three digits"
        raise RefusedError(msg)
    return int(text)


def instant(text: str, date_format: str) -> datetime:
    """A date, midnight UTC, or an instant, to the millisecond."""
    try:
        return written.instant(text, date_format)
    except ValueError as error:
        raise RefusedError(str(error)) from None


def status(text: str) -> str:
    """``active``, ``blocked`` or ``gone``, by the words for it."""
    word = text.lower()
    for words, meaning in ((_ACTIVE, ACTIVE), (_BLOCKED, BLOCKED), (_GONE, GONE)):
        if word in words:
            return meaning
    msg = "is neither active nor blocked nor deleted"
    raise RefusedError(msg)


def jurisdiction(text: str) -> str | None:
    """What calls a row is for; None for any."""
    word = text.lower()
    if word in ANY_JURISDICTION:
        return None
    if word not in JURISDICTIONS:
        msg = f"is none of {', '.join(JURISDICTIONS)}"
        raise RefusedError(msg)
    return word


def steps(text: str) -> tuple[Step, ...]:
    """Price steps inside a call."""
    try:
        found = steps_of(text)
    except ValueError as error:
        raise RefusedError(f"is refused: {error}") from None
    if any(not _MONEY.match(f"{step.price:f}") for step in found):
        msg = "holds a price that is no amount below 10000 with up to 12 decimals"
        raise RefusedError(msg)
    return found


def window(text: str, known: Iterable[str]) -> str:
    """The name of a window of the plan."""
    if text not in known:
        msg = f"is no window of the plan; they are {', '.join(known) or 'none'}"
        raise RefusedError(msg)
    return text
