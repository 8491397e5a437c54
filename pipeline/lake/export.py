"""CSV that a spreadsheet opens without running anything.

A text that starts like a formula gets an apostrophe in front, unless it is a plain number or an E.164 number; control
characters are dropped.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

_HARMLESS = re.compile(r"[+-]?\d+(\.\d+)?\Z")
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe_cell(value: Any) -> str:
    """The text of a cell."""
    if value is None:
        return ""
    text = _CONTROL.sub("", str(value))
    if text.startswith(_TRIGGERS) and not _HARMLESS.match(text):
        return "'" + text
    return text


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a header and rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([safe_cell(column) for column in columns])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
