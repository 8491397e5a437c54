"""Which of the records that come are held already, and in which day.

A new version may have moved a record to any day, so no day can be left out by its date; and the secure ids are
chance, so the statistics of a file leave none out either. To read every id of every day for each commit would make a
long history slower with each day. So the ids of a file are hashed once in a process (eight bytes each; a file never
changes under its name), the hashes of what comes are looked up there, and only the days that have one of them are
read. A hash that two ids share costs a look into a file and nothing else.
"""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import polars as pl

from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.layout import label_day

_KEYS = {
    "dr_sid": pl.String,
    "revision": pl.Int32,
    "version": pl.Int64,
    "content_hash": pl.String,
    "_day": pl.Date,
}
_hashes: dict[Path, pl.Series] = {}


def held(lake: Lake, table: str, sids: pl.Series) -> pl.DataFrame:
    """The rows of these records, wherever they lie, as keys: dr_sid, revision, version, hash, day."""
    files = lake.files(table)
    _forget(files)
    parts = [pl.DataFrame(schema=_KEYS)]
    for file in _candidates(lake, files, sids):
        found = (
            lake.scan(table, [file.label])
            .select("dr_sid", "revision", "version", "content_hash")
            .filter(pl.col("dr_sid").is_in(sids.implode()))
            .collect()
        )
        parts.append(found.with_columns(pl.lit(label_day(file.label)).alias("_day")))
    return pl.concat(parts)


def _candidates(lake: Lake, files: list[DataFile], sids: pl.Series) -> list[DataFile]:
    """The files that have one of these hashes; they are looked up in all files at once."""
    if not files:
        return []
    known = pl.concat([_sids(lake, file) for file in files], rechunk=False)
    places = known.is_in(sids.hash().unique().implode()).arg_true()
    if places.is_empty():
        return []
    ends = list(accumulate(file.rows for file in files))
    return [files[n] for n in sorted({bisect_right(ends, place) for place in places})]


def _sids(lake: Lake, file: DataFile) -> pl.Series:
    if file.path not in _hashes:
        column = lake.scan(file.table, [file.label]).select("dr_sid").collect().to_series()
        _hashes[file.path] = column.hash().rename("sid")
    return _hashes[file.path]


def _forget(files: list[DataFile]) -> None:
    """Drops the hashes of files of this table that were replaced."""
    live = {file.path for file in files}
    folders = {path.parent for path in live}
    for path in [path for path in _hashes if path.parent in folders and path not in live]:
        del _hashes[path]
