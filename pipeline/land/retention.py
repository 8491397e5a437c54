"""Deletes whole days of usage that are older than they may be kept, and says which.

A day goes from every table that holds records of it, landed and rated, current and superseded. Claims, invoices and
their documents stay: they are accounts, not call records. The statement goes on adding up, because what is deleted is
counted as landed no more. Deleted files leave the disk with the next sweep that finds them a day old, as every
replaced file does.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection

from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.layout import label_day
from pipeline.ledger.schema import landings

_LANDED = {"land/calls": "fresh", "land/messages": "fresh"} | {
    "land/calls_versions": "superseding",
    "land/messages_versions": "superseding",
}
_RATED = ("rate/calls", "rate/messages")
_QUARANTINE = "land/quarantine"


@dataclass(frozen=True, slots=True)
class Expired:
    """What was deleted: files of days, and items of the quarantine. ``kept`` are days that an invoice still needs."""

    files: tuple[DataFile, ...] = ()
    quarantined: int = 0
    kept: tuple[date, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(sorted({label_day(file.label) for file in self.files}))

    def __str__(self) -> str:
        rows: Counter[tuple[str, date]] = Counter()
        for file in self.files:
            rows[file.table, label_day(file.label)] += file.rows
        parts = [f"{table} {day}: {number:,} rows" for (table, day), number in rows.items()]
        parts += [f"quarantine: {self.quarantined:,} items"] if self.quarantined else []
        return "; ".join(parts)


def expire(lake: Lake, before: date, *, source: str, now: datetime) -> Expired:
    """Deletes the days before ``before`` that no invoice needs any more, and what was quarantined before it."""
    found = [f for table in (*_LANDED, *_RATED) for f in lake.files(table) if label_day(f.label) < before]
    # Looks at every record: only where something is old enough.
    needed = {row["day"] for row in lake.query("select day from measure.needed_days")} if found else set()
    files = tuple(f for f in found if label_day(f.label) not in needed)
    kept = tuple(sorted({label_day(f.label) for f in found} & needed))
    held = lake.scan(_QUARANTINE).collect()
    old = held.filter(pl.col("first_seen").dt.date() < before)
    expired = Expired(files, old.height, kept)
    if not files and old.is_empty():
        return expired
    fresh = held.join(old, on=["resource", "item_hash"], how="anti")
    going = set(old["resource"])
    staged = [
        lake.stage(_QUARANTINE, str(name), rows)
        for (name,), rows in fresh.group_by("resource")
        if name in going
    ]
    gone = [(file.table, file.label) for file in files] + [(_QUARANTINE, name) for name in going]
    with lake.ledger.transaction() as tx:
        note = f"older than {before} and needed by no invoice: {expired}"
        commit_id = lake.commit(tx, staged, at=now, stage="retain", note=note, remove=gone)
        _uncount(tx, commit_id, source, files)
    return expired


def _uncount(tx: Connection, commit_id: int, source: str, files: tuple[DataFile, ...]) -> None:
    for table, counted in _LANDED.items():
        rows = sum(file.rows for file in files if file.table == table)
        if rows:
            resource = table.removeprefix("land/").removesuffix("_versions")
            counts = dict.fromkeys(("fetched", "fresh", "superseding", "identical", "quarantined"), 0)
            row = counts | {"fetched": -rows, counted: -rows, "resource": resource, "source": source}
            tx.execute(landings.insert(), row | {"commit_id": commit_id})
