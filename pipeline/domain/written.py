"""Dates, amounts and lists as people and their banks write them, read strictly: what could mean two things is refused.

The message of a refusal follows the text that is refused.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DATE_PARTS = (
    *(("YYYY", "%Y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"), ("YY", "%y")),
    *(("HH", "%H"), ("mm", "%M"), ("ss", "%S")),
)
# Blanks of any kind and apostrophes between thousands: they are never before decimals.
_GROUPED = re.compile(r"(?<=[0-9])[\s'\u2019](?=[0-9]{3}(?![0-9]))")


def delimiter_said(text: str) -> str:
    """What separates columns, by its word or as it is."""
    return DELIMITERS.get(text.lower(), text)


def encoding_of(data: bytes, said: str) -> str:
    """How text is written: as its first bytes mark it, else as was said, else UTF-8."""
    return next((name for mark, name in _MARKS if data.startswith(mark)), said or "utf-8")


def amount(text: str, decimal: str = "") -> Decimal:
    """An amount of money, with or without thousands set apart; ``decimal`` is the sign before decimals, if it is known.

    Raises:
        ValueError: it is none, or can be read in two ways, as ``1,234`` can.
    """
    bare = _GROUPED.sub("", text.strip())
    readings = {
        "".join(_read(bare, sign, other)) for sign, other in (".,", ",.") if decimal in ("", sign)
    } - {""}
    if len(readings) > 1:
        msg = "can be read in two ways: say what is before its decimals with --decimal . or --decimal ,"
        raise ValueError(msg)
    if not readings:
        msg = (
            f"is no amount with decimals behind {decimal!r}"
            if decimal
            else "is no amount like 1234.56 or 1.234,56"
        )
        raise ValueError(msg)
    return Decimal(readings.pop())


def _read(text: str, decimal: str, thousands: str) -> tuple[str, ...]:
    found = re.fullmatch(
        rf"([-+]?)([0-9]+|[1-9][0-9]{{0,2}}(?:\{thousands}[0-9]{{3}})+)(?:\{decimal}([0-9]+))?", text
    )
    if not found:
        return ()
    sign, whole, rest = found.groups(default="")
    return sign.replace("+", ""), whole.replace(thousands, ""), "." if rest else "", rest


def instant(text: str, date_format: str) -> datetime:
    """A date, midnight UTC, or an instant, to the millisecond; ``date_format`` is like ``DD.MM.YYYY``, ISO needs none.

    Raises:
        ValueError: it is none that is written so.
    """
    try:
        at = _parsed(text, date_format)
    except ValueError:
        return _iso(text, date_format)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def strptime_of(date_format: str) -> str:
    """``DD/MM/YYYY`` as Python has it.

    Raises:
        ValueError: it has no day, month or year.
    """
    if "%" in date_format:
        return date_format
    found = date_format
    for part, code in _DATE_PARTS:
        found = found.replace(part, code)
    if not all(any(code in found for code in codes) for codes in (("%d",), ("%m", "%b", "%B"), ("%Y", "%y"))):
        msg = f"--date-format {date_format!r} must have YYYY or YY, MM or MMM, and DD, for example DD.MM.YYYY"
        raise ValueError(msg)
    return found


def _parsed(text: str, date_format: str) -> datetime:
    if not date_format:
        return datetime.fromisoformat(text)
    return datetime.strptime(text, strptime_of(date_format))  # noqa: DTZ007  most dates have no zone


def _iso(text: str, date_format: str) -> datetime:
    """What a spreadsheet writes for a date cell, whatever the format of the texts around it."""
    if date_format and re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return instant(text, "")
    msg = (
        f"is no date like {date_format}"
        if date_format
        else "is no ISO date such as 2026-03-01; say how dates are written with --date-format, for example DD/MM/YYYY"
    )
    raise ValueError(msg)
