"""The ways in which the provider writes one value, and what is no value at all.

Its documents show numbers as numbers and as text, booleans as text, dates with and without milliseconds. Here each
becomes the usual one, or the reason why a record cannot be landed.
"""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.domain.cursor import instant
from pipeline.lake.tables import Table

# What the fast path takes; Polars would take more (a sixtieth second, exponents), so it is asked only about these.
INSTANT = r"^(?:199\d|20\d\d)-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$"
NUMBER = r"^\d{1,12}(?:\.\d{1,12})?$"
DERIVED = (
    "source", "revision", "landed_at", "extra_json", "private_json", "recipients", "superseded_at",
)  # fmt: skip
GROUP = "number_group_dst"
LONGEST_TEXT = 4096
LONGEST_EXTRA = 64 * 1024
FOLDED = frozenset({"disconnect_originator", "direction"})
_NUMBER = re.compile(NUMBER.replace("$", r"\Z"))


def wire_columns(table: Table) -> list[tuple[str, pa.DataType]]:
    """The columns that come from the wire under their own name."""
    return [(name, kind) for name, kind, _ in table.columns if name not in DERIVED]


def usual(
    item: dict[str, Any], columns: list[tuple[str, pa.DataType]], sort_key: str
) -> tuple[dict[str, Any], str | None]:
    """The item in the provider's usual types, or the first thing that is wrong with it."""
    fixed = dict(item)
    for name, kind in columns:
        value = item.get(name)
        if value is None:
            continue
        try:
            fixed[name] = _usual(value, kind)
        except (ValueError, TypeError, ArithmeticError):
            return fixed, f"{name}: {_shown(value)} is not {_meaning(kind)}"
    for name in ("dr_sid", "partner_sid", sort_key):
        if not item.get(name):
            return fixed, f"{name} is missing"
        if not isinstance(item[name], str):
            return fixed, f"{name}: {_shown(item[name])} is not text"
    begin, end = fixed.get("date_start"), fixed["date_stop"] if sort_key == "date_stop" else None
    if begin is not None and end is not None and end < begin:
        return fixed, f"date_stop: {end} is before date_start, {begin}"
    return fixed, None


def _usual(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return _boolean(value)
    if isinstance(value, bool | dict | list):
        raise TypeError(value)
    if pa.types.is_timestamp(kind):
        at = instant(value).astimezone(UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    if pa.types.is_decimal(kind):
        text = value.strip() if isinstance(value, str) else format(Decimal(value), "f")
        if not _NUMBER.match(text):
            raise ValueError(value)
        return text
    if pa.types.is_integer(kind):
        return _integer(value, 31 if pa.types.is_int32(kind) else 63)
    return _text(str(value))


def _boolean(value: Any) -> str:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError(value)
    return text


def _integer(value: Any, bits: int) -> int:
    number = int(value)
    if not -(2**bits) <= number < 2**bits:
        raise ValueError(value)
    return number


def _text(value: str) -> str:
    if "\0" in value or len(value.encode()) > LONGEST_TEXT:
        raise ValueError(value)
    return value


def _shown(value: Any) -> str:
    return ascii(value[:80] if isinstance(value, str) else str(value)[:80])


def _meaning(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "a date and time of these years"
    if pa.types.is_boolean(kind):
        return "true or false"
    if pa.types.is_decimal(kind):
        return "a number of at most 12 digits on either side, not below zero"
    return "a whole number" if pa.types.is_integer(kind) else f"text of at most {LONGEST_TEXT} bytes"
