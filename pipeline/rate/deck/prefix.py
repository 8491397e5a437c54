"""Reads the prefixes of one row of a deck: lists, ranges, patterns, and country codes apart from area codes.

A prefix is matched with the digits of an international number, so ``+``, ``00`` and ``011`` before it go. Where a plan
is matched with the digits as dialled (``number_dst_original``), ``00`` and ``011`` are part of them and stay.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from pipeline.rate.deck.text import RefusedError, hint

LONGEST = 20
MOST_OF_A_RANGE = 1000
DEFAULT_ROW = frozenset(("*", "default"))
# Where numbers keep a 0 behind the country code: Italy, San Marino, and others that dropped their trunk prefix.
KEEPS_ZERO = frozenset("39 378 225 241 242".split())
_LIST = re.compile(r"[,;|\n]")
_RANGE = re.compile(r"([0-9]{1,20})\s*[-\u2013]\s*([0-9]{1,20})\Z")
_PATTERN = re.compile(r"\^?(\+?[0-9]+)(?:\.[*+]|\*|%|X+)?\$?\Z")
_SPREADSHEET = re.compile(r"[0-9]+[.,][0-9]+\Z")


@lru_cache(maxsize=100_000)
def prefixes(text: str, *, as_dialled: bool = False) -> tuple[str, ...]:
    """The prefixes that a cell names; an empty one, ``*`` and ``default`` are the default row."""
    bare = text.strip()
    if not bare or bare.lower() in DEFAULT_ROW:
        return ("",)
    strip = _as_is if as_dialled else _international
    return tuple(found for part in _parts(bare) for found in _numbers(part, strip))


@lru_cache(maxsize=100_000)
def areas_of(dial: str, areas: str) -> tuple[str, ...]:
    """The prefixes of area codes behind a country code; the country's own where there is none."""
    code = _international(_digits(dial.strip(), dial))
    if not areas.strip():
        return (code,)
    found = tuple(code + area for part in _parts(areas) for area in _numbers(part, _as_is))
    if code not in KEEPS_ZERO and any(area.startswith(code + "0") for area in found):
        msg = f"begins with a 0 that is not dialled behind country code {code}: leave it out"
        raise RefusedError(msg)
    return found


@lru_cache(maxsize=100_000)
def north_american(npa: str, nxx: str) -> tuple[str, ...]:
    """The prefixes of North American codes, with or without the 1 before them."""
    found = tuple(number for part in _parts(npa) for number in _numbers(part + nxx.strip(), _as_is))
    return tuple(number if number.startswith("1") else f"1{number}" for number in found)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _LIST.split(text) if part.strip()]


def _numbers(part: str, strip: Callable[[str], str]) -> list[str]:
    span = _RANGE.match(part.lstrip("+"))
    if span:
        return _range(strip(span[1]), _high(span[1], span[2], strip))
    return [strip(_digits(part, part))]


def _digits(part: str, text: str) -> str:
    found = _PATTERN.match(part)
    if not found or len(found[1].lstrip("+")) > LONGEST:
        raise RefusedError(_hint(text))
    return found[1].lstrip("+")


def _high(low: str, high: str, strip: Callable[[str], str]) -> str:
    """The end of a range; ``1201-05`` ends at 1205."""
    return strip(high if len(high) >= len(low) else low[: len(low) - len(high)] + high)


def _range(low: str, high: str) -> list[str]:
    """All prefixes of a range, ten that fill a shorter prefix as that one."""
    if len(low) != len(high) or low > high:
        msg = f"is no range: {low} and {high} must have as many digits, the smaller first"
        raise RefusedError(msg)
    while len(low) > 1 and low[-1] == "0" and high[-1] == "9":
        low, high = low[:-1], high[:-1]
    count = int(high) - int(low) + 1
    if count > MOST_OF_A_RANGE:
        msg = f"is a range of {count:,} prefixes, more than {MOST_OF_A_RANGE:,}: split it where it is shorter"
        raise RefusedError(msg)
    return [f"{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]


def _as_is(number: str) -> str:
    return number


def _international(number: str) -> str:
    for access in ("011", "00"):
        if number.startswith(access):
            number = number[len(access) :]
            break
    if number.startswith("0") or not number:
        msg = "begins with 0 as no country code does: write prefixes with their country code"
        raise RefusedError(msg)
    return number


def _hint(text: str) -> str:
    if _SPREADSHEET.match(text):
        return "was turned into a number by a spreadsheet: format the column as text and export it again"
    return hint(text, "is not digits only")
