"""Workbooks hold what the answer holds: exact numbers, plain texts, instants; read back by another library."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO

import openpyxl
import pytest

from pipeline.errors import QueryError
from pipeline.lake import workbook as module
from pipeline.lake.workbook import workbook

WEST = timezone(timedelta(hours=-5))


def naive(hour: int, microsecond: int = 0) -> datetime:
    """A workbook's times have no zone."""
    return datetime(2026, 3, 1, hour, microsecond=microsecond)  # noqa: DTZ001


def cells(value: object) -> tuple[object, str]:
    [[cell]] = openpyxl.load_workbook(BytesIO(workbook(["a"], [[value]]))).active.iter_rows(min_row=2)
    return cell.value, cell.data_type


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.0001"), (0.0001, "n")),
        (Decimal("123456789.012345"), (123456789.012345, "n")),
        (Decimal("-5E+3"), (-5000, "n")),
        # A spreadsheet holds 15 digits: what has more is text, and every digit stays.
        (Decimal("1234567.0000000001"), ("1234567.0000000001", "s")),
        (123456789012345678, ("123456789012345678", "s")),
        (42, (42, "n")),
        (True, (True, "b")),
        ("=1+1", ("=1+1", "s")),
        ("+4930901820", ("+4930901820", "s")),
        ("@cmd", ("@cmd", "s")),
        ("http://example.org", ("http://example.org", "s")),
        ("0044", ("0044", "s")),
        (datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC), (naive(12, 123000), "d")),
        (datetime(2026, 3, 1, 12, tzinfo=WEST), (naive(17), "d")),
        (date(2026, 3, 1), (naive(0), "d")),
        (["a", 1], ("['a', 1]", "s")),
    ],
)
def test_a_cell(value, shown):
    assert cells(value) == shown


def test_the_same_rows_give_the_same_bytes():
    assert workbook(["a", "b"], [["x", 1]]) == workbook(["a", "b"], [["x", 1]])


def test_more_than_a_sheet_takes_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    with pytest.raises(
        QueryError, match=r"a sheet takes 2 rows and the answer has more: write .csv or .parquet"
    ):
        workbook(["a"], [[1], [2], [3]])
    with pytest.raises(QueryError, match="row 1 has a longer text"):
        workbook(["a"], [["x" * 32_768]])
