"""Parquet as tollbook writes it: one schema per table, statistics and checksums, row groups of one size."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.tables import Table

ROW_GROUP = 122_880
# What a query gives has smaller ones, and what is written from pieces: each is held whole until it is written.
STREAMED = ROW_GROUP // 4
# Rows that are read at once to be counted.
CODED = 2 * ROW_GROUP
_WHOLE = 64
_HOW = {"compression": "zstd", "write_page_checksum": True}
# Values that hardly come twice: a dictionary of them is built, found useless and thrown away.
_UNIQUE = frozenset({"dr_sid", "sipcallid_src", "sipcallid_dst"})


def how(spec: Table) -> dict[str, Any]:
    """How files of a table are packed."""
    return _HOW | {"use_dictionary": [name for name, _, _ in spec.columns if name not in _UNIQUE]}


def write(path: Path, rows: pa.Table, spec: Table) -> int:
    """Writes rows in the order given; returns their number."""
    pq.write_table(_typed(rows, spec), path, row_group_size=ROW_GROUP, **how(spec))
    return len(rows)


def write_pieces(path: Path, pieces: Iterable[pa.Table], spec: Table) -> int:
    """Writes pieces in the order given, a row group of them at a time; returns the number of rows."""
    rows = 0
    with pq.ParquetWriter(path, spec.schema, **how(spec)) as writer:
        for group in _row_groups(map(partial(_typed, spec=spec), pieces)):
            writer.write_table(group, STREAMED)
            rows += len(group)
            del group
    return rows


def pieces(path: Path, spec: Table) -> Iterator[pa.Table]:
    """The rows of a file, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for place in range(file.num_row_groups):
            yield _widened(file.read_row_group(place, use_threads=False), spec)


def coded(
    path: Path, spec: Table, columns: Sequence[str], begun_before: datetime | None = None
) -> Iterator[pa.Table]:
    """Columns of a file, some row groups at a time, so that memory holds no more of them.

    A text is a place in a dictionary; what an older file lacks is null. A text that all rows share, as statistics say,
    is not read. With ``begun_before``, what they say began no earlier may be left out.
    """
    kinds = {name: kind for name, kind, _ in spec.columns if name in columns}
    texts = {name: pa.dictionary(pa.int32(), pa.string()) for name in columns if kinds[name] == pa.string()}
    kinds |= texts
    footer = pq.read_metadata(path)
    present = [name for name in columns if name in footer.schema.names]
    groups = [n for n in range(footer.num_row_groups) if not begun_before or _began(footer, n, begun_before)]
    step = max(1, CODED // footer.row_group(0).num_rows)
    with pq.ParquetFile(path, metadata=footer, read_dictionary=[n for n in present if n in texts]) as file:
        for place in range(0, len(groups), step):
            some = groups[place : place + step]
            shared = {name: _shared(footer, some, name) for name in present if name in texts}
            unlike = [name for name in present if shared.get(name) is None]
            found = file.read_row_groups(some, columns=unlike, use_threads=False)
            rows = sum(footer.row_group(n).num_rows for n in some)
            first = pa.repeat(pa.scalar(0, pa.int32()), rows)
            made = {name: pa.nulls(rows, kinds[name]) for name in columns if name not in present}
            made |= {name: found[name].cast(kinds[name]) for name in unlike}
            for name, text in shared.items():
                if text is not None:
                    made[name] = pa.DictionaryArray.from_arrays(first, [text])
            yield pa.table(made).select(list(columns))


def _shared(footer: pq.FileMetaData, groups: Sequence[int], column: str) -> str | None:
    """The text that is in all rows of these row groups, where their statistics say so."""
    place = footer.schema.names.index(column)
    texts = set[str]()
    for group in groups:
        found = footer.row_group(group).column(place).statistics
        if not (found and found.has_min_max and found.has_null_count) or found.null_count:
            return None
        texts |= {found.min, found.max}
    # A longer one may be cut off in the statistics.
    return texts.pop() if len(texts) == 1 and len(max(texts)) < _WHOLE else None


def _began(footer: pq.FileMetaData, group: int, before: datetime) -> bool:
    first = footer.row_group(group).column(footer.schema.names.index("date_start")).statistics.min
    return first is not None and first < before


def greatest(path: Path, column: str) -> Any:
    """The greatest value of a column of a file, as its statistics say."""
    found = pq.read_metadata(path)
    place = found.schema.names.index(column)
    return max(found.row_group(n).column(place).statistics.max for n in range(found.num_row_groups))


def _typed(arrow: pa.Table, spec: Table) -> pa.Table:
    if arrow.schema.equals(spec.schema):
        return arrow
    expected = [name for name, _, _ in spec.columns]
    if sorted(arrow.column_names) != sorted(expected):
        missing, extra = set(expected) - set(arrow.column_names), set(arrow.column_names) - set(expected)
        msg = f"{spec.name}: missing columns {sorted(missing)}, unknown columns {sorted(extra)}"
        raise ValueError(msg)
    return arrow.select(expected).cast(spec.schema)


def _widened(piece: pa.Table, spec: Table) -> pa.Table:
    """A piece of an older file with the columns of today: what it lacks is null, what is no column any more is gone."""
    for name, kind, _ in spec.columns:
        if name not in piece.column_names:
            piece = piece.append_column(name, pa.nulls(len(piece), kind))
    return _typed(piece.select([name for name, _, _ in spec.columns]), spec)


def _row_groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in whole row groups; the last may be shorter. What was given out is not held on to."""
    waiting: list[pa.Table] = []
    room = STREAMED
    for piece in pieces:
        while len(piece) >= room:
            whole = [*waiting, piece.slice(0, room)]
            piece, room = piece.slice(room), STREAMED
            waiting.clear()
            yield pa.concat_tables(whole)
            whole.clear()
        if len(piece):
            waiting.append(piece)
            room -= len(piece)
        del piece
    if waiting:
        yield pa.concat_tables(waiting)


def check_types(path: Path, spec: Table) -> None:
    """Whether the columns of a file are those of its table.

    Raises:
        ValueError: one is not.
    """
    found = pq.read_schema(path)
    for name, expected, _ in spec.columns:
        actual = found.field(name).type
        same = actual == expected or (pa.types.is_timestamp(expected) and pa.types.is_timestamp(actual))
        if not same:
            msg = f"{spec.name}.{name}: the query gives {actual}, the table wants {expected}"
            raise ValueError(msg)
