"""Reads one field of a rate deck, strictly.

The same few texts repeat over 100,000 rows, so most readers remember what they have checked.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

LONGEST_SECONDS = 86_400
T = TypeVar("T")
D = TypeVar("D")
_MONEY = re.compile(r"[0-9]{1,4}(\.[0-9]{1,12})?\Z")
_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?\Z")
_PREFIX = re.compile(r"[0-9]{0,20}\Z")
_SCIENTIFIC = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?[eE][-+]?[0-9]+\Z")


class RefusedError(ValueError):
    """A field is not what it should be; the message follows the field's name and text."""


@dataclass(slots=True)
class Fields:
    """The fields of one row by the header's names, and what is wrong with them."""

    header: Mapping[str, int]
    row: Sequence[str]
    wrong: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """A field as it stands; empty where the column is absent."""
        at = self.header.get(name)
        return "" if at is None else self.row[at].strip()

    def get(self, name: str, read: Callable[[str], T], default: D) -> T | D:
        """A field as ``read`` gives it; ``default`` where it is empty, absent or wrong."""
        text = self.text(name)
        if not text:
            return default
        try:
            return read(text)
        except RefusedError as error:
            self.wrong.append(f"{name} {text!r} {error}")
            return default


@lru_cache(maxsize=10_000)
def money(text: str) -> Decimal:
    """A price or fee."""
    if not _MONEY.match(text):
        raise RefusedError(_hint(text, "is no amount below 10000 with up to 12 decimals"))
    return Decimal(text)


@lru_cache(maxsize=1_000)
def seconds(text: str) -> Decimal:
    """A duration."""
    if not _SECONDS.match(text) or Decimal(text) > LONGEST_SECONDS:
        raise RefusedError(_hint(text, "is no number of seconds up to 86400 with up to 3 decimals"))
    return Decimal(text)


def positive_seconds(text: str) -> Decimal:
    """A unit."""
    value = seconds(text)
    if value <= 0:
        msg = "is not above 0"
        raise RefusedError(msg)
    return value


def prefix(text: str) -> str:
    """Digits."""
    if not _PREFIX.match(text):
        raise RefusedError(_hint(text, "is not digits only"))
    return text


@lru_cache(maxsize=1_000)
def country(text: str) -> str:
    """An alpha-3 code."""
    if not re.fullmatch("[A-Z]{3}", text):
        msg = "is no three-letter code such as DEU"
        raise RefusedError(msg)
    return text


@lru_cache(maxsize=2_000)
def network(text: str) -> int:
    """A mobile country or network code."""
    if not re.fullmatch("[0-9]{1,3}", text):
        msg = "is not up to three digits"
        raise RefusedError(msg)
    return int(text)


@lru_cache(maxsize=1_000)
def instant(text: str) -> datetime:
    """A date, midnight UTC, or an instant."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = "is no ISO date such as 2026-03-01"
        raise RefusedError(msg) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def blocked(text: str) -> bool:
    """Whether the row is blocked."""
    if text.lower() not in ("active", "blocked"):
        msg = "is neither active nor blocked"
        raise RefusedError(msg)
    return text.lower() == "blocked"


def _hint(text: str, otherwise: str) -> str:
    if _SCIENTIFIC.match(text):
        return "was rewritten by a spreadsheet: format the column as text and export it again"
    return otherwise
