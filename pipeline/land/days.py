"""Days of detail records as files: what a day holds and what is added to it, sorted, in parts of a good size.

A day is one file until it is too large to be written anew with each commit; then what follows opens the next part.
Records that come in order, as many at a time as a pull commits, are thus written once. Parts hold ranges of the sort
key, one after the other. A late record goes into the part whose range it falls in, and only that is written; so what a
commit costs does not grow with the day.

What comes is mostly in order and after what is held; then nothing is sorted. What comes, and a part that it comes into,
is read and merged in pieces, and written a row group at a time, so that memory does not grow with them either: a piece
that was passed on is let go, and given back to the system, before the next is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, count, islice, pairwise
from operator import itemgetter

import polars as pl
import pyarrow as pa

from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.layout import day_label, label_day, part_label, part_number
from pipeline.lake.parquet import ROW_GROUP
from pipeline.land.held import ID
from pipeline.land.known import hashed, remember
from pipeline.land.waiting import Rows, sorted_rows

# From how many rows on the last part of a day takes no more: what one commit of a long pull brings is a part.
FULL = 3 * ROW_GROUP // 4
# How many rows a part takes at most. One in the middle of its day that late records make twice as large is cut.
PART = 4 * ROW_GROUP


@dataclass(slots=True)
class Written:
    """Files that were staged for days, and the labels of those that lost their last record."""

    staged: list[Staged] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)

    @property
    def days(self) -> set[date]:
        return {label_day(label) for label in [*(s.label for s in self.staged), *(g for _, g in self.gone)]}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a day, held or to be, the rows that come into it, and whether others follow it."""

    file: DataFile | None
    added: Rows
    inner: bool = False

    @property
    def most(self) -> int:
        """How many rows it may have when they are in it."""
        return len(self.added) + (self.file.rows if self.file else 0)

    @property
    def size(self) -> int:
        """How many rows a file takes of it: the last part is filled up, an inner one is cut in even shares."""
        if not self.inner:
            return PART
        return self.most if self.most <= 2 * PART else -(-self.most // (self.most // PART))


def write_days(
    lake: Lake, table: str, rows: Rows, keys: Sequence[str], leaving: pl.DataFrame | None = None
) -> Written:
    """Stages each part of a day that these rows come into or leave (``leaving``: by id and ``_label``).

    ``keys`` are what rows are sorted by; the first says which day they belong to.
    """
    arriving = _by_day(rows.sorted(keys), keys[0])
    left = set() if leaving is None else set(leaving["_label"])
    days = sorted({*arriving, *map(label_day, left)})
    held: dict[date, list[DataFile]] = {day: [] for day in days}
    for file in lake.files(table, map(day_label, days)):
        held[label_day(file.label)].append(file)
    written = Written()
    for day, files in held.items():
        unused = count(max((part_number(file.label) for file in files), default=0) + 1)
        labels = (part_label(day, number) for number in unused)
        for part in _parts(lake, files, arriving.get(day, rows.slice(0, 0)), keys[0]):
            leaves = leaving if part.file and part.file.label in left else None
            if leaves is not None or len(part.added):
                stay = _kept(lake, part.file, leaves)
                _write(lake, table, part, _merged(stay, part.added, keys), labels, written)
    return written


def _parts(lake: Lake, files: list[DataFile], added: Rows, key: str) -> Iterator[_Part]:
    """The parts of a day in their order, each with the rows that fall into it."""
    if not files:
        yield _Part(None, added)
        return
    several = len(files) > 1 or files[0].rows >= FULL
    ends = [lake.greatest(file, key) for file in files] if several else [None]
    at = pl.Series(added.keys[key])
    *inner, (end, last) = sorted(zip(ends, files, strict=True), key=itemgetter(0))
    begin = 0
    for until, file in inner:
        beyond = int(at.search_sorted(until, side="right"))
        yield _Part(file, added.slice(begin, beyond - begin), inner=True)
        begin = beyond
    if last.rows < FULL:
        yield _Part(last, added.slice(begin))
        return
    beyond = int(at.search_sorted(end, side="right"))
    yield _Part(last, added.slice(begin, beyond - begin), inner=True)
    yield _Part(None, added.slice(beyond))


def _write(
    lake: Lake, table: str, part: _Part, rows: Iterator[pa.Table], labels: Iterator[str], written: Written
) -> None:
    """Stages a part as one file, or as several where it has become too many rows for one."""
    named = chain([part.file.label], labels) if part.file else labels
    before = len(written.staged)
    waiting: list[pa.Table] = []
    while _some(waiting, rows):
        hashes: list[pl.Series] = []
        file = lake.stage_pieces(table, next(named), _noted(_next(waiting, rows, part.size), hashes))
        remember(file.path, hashes)
        written.staged.append(file)
    if part.file and len(written.staged) == before:
        written.gone.append((table, part.file.label))


def _some(waiting: list[pa.Table], rows: Iterator[pa.Table]) -> bool:
    """Whether there are more rows; then the next piece of them waits."""
    if not waiting:
        waiting.extend(islice(rows, 1))
    return bool(waiting)


def _next(waiting: list[pa.Table], rows: Iterator[pa.Table], room: int) -> Iterator[pa.Table]:
    """The next so many rows, in pieces."""
    while room and _some(waiting, rows):
        if len(waiting[0]) > room:
            waiting[:] = [waiting[0].slice(0, room), waiting[0].slice(room)]
        room -= len(waiting[0])
        yield waiting.pop(0)


def _noted(pieces: Iterator[pa.Table], hashes: list[pl.Series]) -> Iterator[pa.Table]:
    """The pieces, and beside them their ids, hashed."""

    def noted(piece: pa.Table) -> pa.Table:
        hashes.append(hashed(pl.Series(piece["dr_sid"])))
        return piece

    return map(noted, pieces)


def _by_day(rows: Rows, key: str) -> dict[date, Rows]:
    of_day = pl.Series(rows.keys[key]).dt.date()
    starts = [0, *(of_day != of_day.shift(1)).arg_true().to_list(), len(of_day)]
    return {of_day[start]: rows.slice(start, end - start) for start, end in pairwise(starts) if end > start}


def _kept(lake: Lake, file: DataFile | None, leaving: pl.DataFrame | None) -> Iterator[pa.Table]:
    """What stays of a part, in pieces."""
    for piece in lake.pieces(file) if file else ():
        if leaving is not None:
            ids = pl.DataFrame(piece.select(ID)).with_row_index("_row")
            stays = ids.join(leaving.select(ID), on=ID, how="anti")["_row"].sort()
            piece = piece if len(stays) == len(piece) else piece.take(stays.to_arrow())
        if len(piece):
            yield piece
        del piece
        pa.default_memory_pool().release_unused()


def _merged(kept: Iterator[pa.Table], added: Rows, keys: Sequence[str]) -> Iterator[pa.Table]:
    """Two sorted sequences as one."""
    at, sid = (pl.Series(added.keys[key]) for key in keys[:2])
    begin = 0
    for piece in kept:
        until, named = (piece[key][-1].as_py() for key in keys[:2])
        first, beyond = int(at.search_sorted(until, "left")), int(at.search_sorted(until, "right"))
        end = first + int((sid[first:beyond] <= named).sum())
        if end > begin:
            piece = sorted_rows(pa.concat_tables([piece, *added.slice(begin, end - begin).pieces()]), keys)
        yield piece
        del piece
        begin = max(begin, end)
    if begin < len(added):
        yield from added.slice(begin).pieces()
