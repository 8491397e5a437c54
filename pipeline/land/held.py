"""Which of the records that come are held already, and in which day.

A new version may have moved a record to any day, so no day can be left out by its date; and the secure ids are
chance, so the statistics of a file leave none out either. To read every id of every day for each commit would make a
long history slower with each day. So the hashes of all ids
are at hand, see ``known``; those of what comes are looked up there, and only the days that have one of them are read.
A hash that two ids share costs a look into a file and nothing else.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.tables import Table
from pipeline.land.known import hashed, known

# Two providers may give two records the same secure id.
ID = ["source", "dr_sid"]
_KEYS = {
    "source": pl.String,
    "dr_sid": pl.String,
    "revision": pl.Int32,
    "version": pl.Int64,
    "_label": pl.String,
}
# What a row says about its landing, and not about the record.
_ABOUT = frozenset({"revision", "landed_at", "private_json", "superseded_at"})


@dataclass(frozen=True, slots=True)
class Held:
    """What a table has of the records that come: their keys and files, and which (``_seen``) it has as they come."""

    keys: pl.DataFrame
    same: pl.Series


def content(table: Table) -> list[str]:
    """The columns in which two contents of a record can differ."""
    return [name for name in table.schema.names if name not in _ABOUT]


def found_in(lake: Lake, table: str, sids: pl.Series) -> bool:
    """Whether a table may have any of these hashed ids: yes where it has, nearly always no where it has not."""
    return bool(_candidates(lake, lake.files(table), sids))


def held(lake: Lake, table: Table, incoming: pl.DataFrame, source: str) -> Held:
    """Looks for records of a source wherever they lie; compares a file at a time, column by column."""
    files = lake.files(table.name)
    keys, same = [pl.DataFrame(schema=_KEYS)], [pl.Series("_seen", [], pl.UInt32)]
    for file in _candidates(lake, files, hashed(incoming["dr_sid"])):
        found = (
            lake.scan_files(table.name, [file])
            .filter(pl.col("source") == source)
            .join(incoming.select("dr_sid").unique().lazy(), on="dr_sid", how="semi")
            .collect()
        )
        same.append(_same(incoming, found, content(table)))
        label = pl.lit(file.label).alias("_label")
        keys.append(found.select("source", "dr_sid", "revision", "version", label))
    return Held(pl.concat(keys), pl.concat(same))


def _same(incoming: pl.DataFrame, found: pl.DataFrame, names: list[str]) -> pl.Series:
    """The rows that come whose content is among those found."""
    theirs = found.select(pl.col(names).name.suffix("_held"))
    pairs = incoming.select("_seen", *names).join(theirs, left_on="dr_sid", right_on="dr_sid_held")
    alike = [pl.col(name).eq_missing(pl.col(f"{name}_held")) for name in names if name != "dr_sid"]
    return pairs.filter(pl.all_horizontal(alike))["_seen"]


def _candidates(lake: Lake, files: list[DataFile], sids: pl.Series) -> list[DataFile]:
    """The files that have one of these hashes."""
    wanted, found = sids.implode(), []
    for some, hashes in known(lake, files):
        places = hashes.is_in(wanted).arg_true()
        if len(places):
            ends = list(accumulate(file.rows for file in some))
            found += [some[n] for n in sorted({bisect_right(ends, place) for place in places})]
    return found
