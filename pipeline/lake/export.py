"""Answers as files: CSV and workbooks that a spreadsheet opens without running anything, and Parquet with its types.

In CSV a text that starts like a formula gets an apostrophe in front, unless it is a plain number or an E.164 number;
control characters are dropped.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import polars as pl
import pyarrow as pa

from pipeline.domain.money import plain
from pipeline.errors import QueryError
from pipeline.lake.disk import whole

_HARMLESS = re.compile(r"\A[+-]?[0-9]+(\.[0-9]+)?\Z")
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# What cannot be harmful: a number, or a text that neither begins like a formula nor has a control character.
_STRANGE = r"\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
_PLAIN = rf"\A([+-]?[0-9]+(\.[0-9]+)?|[^=+@{_STRANGE}-][^{_STRANGE}]*)?\z"
SUFFIXES = (".csv", ".json", ".parquet", ".xlsx")


def safe_cell(value: Any) -> str:
    """The text of a cell."""
    if value is None:
        return ""
    text = _CONTROL.sub("", str(value))
    if text.startswith(_TRIGGERS) and not _HARMLESS.match(text):
        return "'" + text
    return text


def safe_columns(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """As ``safe_cell``, of whole columns of texts; an empty text is none. Most texts need no second look."""
    texts = pl.col(names)
    suspect = rows.select(texts.filter(~texts.str.contains(_PLAIN)).unique().implode()).row(0)
    safe = {text: safe_cell(text) or None for column in suspect for text in column} | {"": None}
    return rows.with_columns(texts.replace(safe))


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a header and rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([safe_cell(column) for column in columns])
    writer.writerows([safe_cell(value) for value in row] for row in rows)


def save(answer: pa.Table, path: Path) -> None:
    """Writes a table as what the file's name ends with: ``.csv``, ``.json``, ``.parquet`` or ``.xlsx``; whole or not
    at all.

    Raises:
        QueryError: another ending, or more than a sheet takes.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        msg = f"an answer cannot be written as {kind or 'a file without an ending'}: name it {', '.join(SUFFIXES)}"
        raise QueryError(msg)
    with whole(path) as making:
        _write(answer, making, kind)


def _write(answer: pa.Table, path: Path, kind: str) -> None:
    if kind == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            write_csv(stream, answer.column_names, _rows(answer))
    elif kind == ".json":
        rows = [dict(zip(answer.column_names, row, strict=True)) for row in _rows(answer)]
        text = json.dumps(rows, default=_told, indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
    elif kind == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(answer, path, compression="zstd")
    else:
        from pipeline.lake.workbook import workbook

        path.write_bytes(workbook(answer.column_names, _rows(answer)))


def _told(value: Any) -> str:
    """Decimals and instants as text, so that nothing is rounded on the way."""
    return plain(value) if isinstance(value, Decimal) else str(value)


def _rows(answer: pa.Table) -> Iterator[Sequence[Any]]:
    for batch in answer.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
