"""Writes a spreadsheet with one sheet, by XlsxWriter.

A text is a text cell, whatever it begins with, so nothing in a name can become a formula or a link. A number is a
number where a spreadsheet holds it exactly, which is up to 15 digits, and its text otherwise; an instant is UTC, as a
date cell. The same rows give the same bytes.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.domain.money import plain
from pipeline.errors import QueryError

MOST_ROWS = 1_048_575
LONGEST_TEXT = 32_767
_EXACT = 15
# What no XML can hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_MADE = datetime(1980, 1, 1)  # noqa: DTZ001  a workbook's times have no zone


def workbook(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, sheet: str = "Answer") -> bytes:
    """The workbook.

    Raises:
        QueryError: more rows, or a longer text, than a sheet takes.
    """
    stream = BytesIO()
    with Workbook(stream, _OPTIONS) as book:
        book.set_properties({"created": _MADE})
        page = book.add_worksheet(sheet)
        styles = {
            str: book.add_format({"num_format": "@"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}),
        }
        page.freeze_panes(1, 0)
        page.set_column(0, max(len(columns) - 1, 0), 16)
        page.write_row(0, 0, columns, book.add_format({"bold": True, "num_format": "@"}))
        for at, row in enumerate(rows, 1):
            if at > MOST_ROWS:
                msg = f"a sheet takes {MOST_ROWS:,} rows and the answer has more: write .csv or .parquet"
                raise QueryError(msg)
            for place, value in enumerate(row):
                _put(page, at, place, value, styles)
    return stream.getvalue()


def _put(page: Worksheet, at: int, place: int, value: Any, styles: dict[type, Format]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(at, place, value)
    elif isinstance(value, datetime):
        page.write_datetime(at, place, _utc(value), styles[datetime])
    elif isinstance(value, date):
        page.write_datetime(at, place, value, styles[date])
    elif isinstance(value, int | Decimal) and _exact(value):
        page.write_number(at, place, value)
    else:
        text = plain(value) if isinstance(value, Decimal) else _NOT_XML.sub("", str(value))
        if len(text) > LONGEST_TEXT:
            msg = f"a cell takes {LONGEST_TEXT:,} letters and row {at:,} has a longer text: write .csv or .parquet"
            raise QueryError(msg)
        page.write_string(at, place, text, styles[str])


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _exact(value: int | Decimal) -> bool:
    number = Decimal(value)
    return number.is_finite() and len(plain(number).lstrip("-").replace(".", "").strip("0")) <= _EXACT
