"""Days of detail records as files: what a day holds and what is added to it, as one sorted file.

What comes is mostly in order and after what is held; then nothing is sorted and nothing copied. A day is read, merged
and written a row group at a time, so that one of five million records needs no more memory than one of fifty thousand.
"""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import polars as pl
import pyarrow as pa

from pipeline.domain.cursor import Feed
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.layout import day_label
from pipeline.lake.tables import Table
from pipeline.land.held import remember

_ID = ["source", "dr_sid"]


def write_days(
    lake: Lake,
    feed: Feed,
    table: Table,
    rows: pa.Table,
    days: set[date],
    leaving: pl.DataFrame | None = None,
) -> list[Staged]:
    """Stages each day that these rows come into or leave (``leaving``: by id and ``_day``); adds it to ``days``."""
    rows = _sorted(rows, feed)
    parts = _by_day(rows, feed)
    left = set() if leaving is None else set(leaving["_day"].to_list())
    days |= left | set(parts)
    staged = []
    for day in sorted(left | set(parts)):
        kept = _kept(lake, table, day_label(day), leaving)
        added = parts.get(day, rows.slice(0, 0))
        merged = _merged(kept, added, feed)
        if first := next(merged, None):
            file = lake.stage_pieces(table.name, day_label(day), _chained(first, merged))
            staged.append(file)
            if file.rows == len(added):
                remember(file.path, pl.Series(added["dr_sid"]))
    return staged


def write_versions(lake: Lake, versions: Table, feed: Feed, superseded: pl.DataFrame) -> list[Staged]:
    """Stages the days of superseded contents with these added."""
    staged: list[Staged] = []
    names = versions.schema.names
    days = superseded.with_columns(pl.col(feed.sort_key).dt.date().alias("_day")).group_by("_day")
    for (day,), rows in sorted(days, key=lambda group: group[0][0]):
        kept = lake.scan(versions.name, [day_label(day)]).collect()
        together = pl.concat([kept.select(names), rows.select(names)])
        ordered = together.sort([feed.sort_key, "dr_sid", "revision"])
        staged.append(lake.stage(versions.name, day_label(day), ordered))
    return staged


def _by_day(rows: pa.Table, feed: Feed) -> dict[date, pa.Table]:
    of_day = pl.Series(rows[feed.sort_key]).dt.date()
    starts = [0, *(of_day != of_day.shift(1)).arg_true().to_list(), len(of_day)]
    return {of_day[start]: rows.slice(start, end - start) for start, end in pairwise(starts) if end > start}


def _kept(lake: Lake, table: Table, label: str, leaving: pl.DataFrame | None) -> Iterator[pa.Table]:
    """What stays of a day, in pieces."""
    for piece in lake.pieces(table.name, label):
        if leaving is not None:
            ids = pl.DataFrame(piece.select(_ID)).with_row_index("_row")
            stays = ids.join(leaving.select(_ID), on=_ID, how="anti")["_row"].sort()
            piece = piece if len(stays) == len(piece) else piece.take(stays.to_arrow())
        if len(piece):
            yield piece


def _merged(kept: Iterator[pa.Table], added: pa.Table, feed: Feed) -> Iterator[pa.Table]:
    """Two sorted sequences as one."""
    for piece in kept:
        last = piece.slice(len(piece) - 1).select([feed.sort_key, "dr_sid"]).to_pylist()[0]
        keys = pl.DataFrame(added.select([feed.sort_key, "dr_sid"]))
        at, sid = pl.col(feed.sort_key), pl.col("dr_sid")
        until, named = last[feed.sort_key], last["dr_sid"]
        before = keys.select(((at < until) | ((at == until) & (sid <= named))).sum()).item()
        yield _sorted(pa.concat_tables([piece, added.slice(0, before)]), feed) if before else piece
        added = added.slice(before)
    if len(added):
        yield added


def _chained(first: pa.Table, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from rest


def _sorted(rows: pa.Table, feed: Feed) -> pa.Table:
    keys = [feed.sort_key, "dr_sid"]
    by = pl.DataFrame(rows.select(keys))
    at, sid = by.get_columns()
    rising = (at.shift(1) < at) | ((at.shift(1) == at) & (sid.shift(1) < sid))
    if rising.fill_null(value=True).all():
        return rows
    return rows.combine_chunks().take(by.select(pl.arg_sort_by(keys)).to_series().to_arrow())
