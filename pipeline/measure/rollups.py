"""The roll-ups: each day of records once, counted and added up, so that a year of questions reads no record.

A roll-up is a table of the lake whose query, ``sql/measure/<name>.sql``, reads landed or rated records. It is asked
for a few days at a time, with their files in place of the whole tables, and again only where one of these files or the
query has changed: each day is a file that carries the fingerprint of what it was made from. A day whose records are
gone is gone here too.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.lake import duck, views
from pipeline.lake.batches import batches, by_day
from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.layout import day_label, label_day
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.measure.concurrency import trunk_hours

# Raise it when rows change though the queries do not.
VERSION = "1"
_DAY = timedelta(days=1)
# Days are rolled up several at a time, for a query costs milliseconds before it reads a row; but not without end.
_BATCH_ROWS = 500_000
_SOURCES = ("land/calls", "land/messages", "rate/calls", "rate/messages")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table, and what a day of it is made from; ``past_midnight`` ones look into the next day as well."""

    table: str
    reads: tuple[str, ...]
    past_midnight: bool = False


ROLLUPS = (
    Rollup("measure/call_hours", ("land/calls",)),
    Rollup("measure/cause_days", ("land/calls",)),
    Rollup("measure/trunk_hours", ("land/calls",), past_midnight=True),
    Rollup("measure/number_days", ("land/calls", "land/messages")),
    Rollup("measure/lag_days", ("land/calls",)),
    Rollup("measure/message_days", ("land/messages",)),
    Rollup("measure/money_days", ("rate/calls", "rate/messages")),
    Rollup("measure/prefix_days", ("rate/calls",)),
)

Days = dict[date, list[DataFile]]
Due = dict[date, str]


@dataclass(slots=True)
class RollupReport:
    """What was rolled up: the days of each table, and the rows that came of them."""

    days: dict[str, tuple[date, ...]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def written(self) -> int:
        """Days of which anything was made anew."""
        return len({day for days in self.days.values() for day in days})

    def add(self, table: str, days: Sequence[date], rows: int) -> None:
        """Takes down what became of days of a table."""
        self.days[table] = self.days.get(table, ()) + tuple(days)
        self.rows[table] = self.rows.get(table, 0) + rows


def roll_up(lake: Lake, ledger: Ledger, *, now: datetime, progress: Progress | None = None) -> RollupReport:
    """Rolls up the days of which anything has changed; those that are read together are committed together.

    Raises:
        LakeError: a file is damaged, or a rated file does not hold its costs and charges in the same order.
    """
    files = {table: by_day(lake.files(table)) for table in _SOURCES}
    due = {rollup: found for rollup in ROLLUPS if (found := _due(lake, rollup, files))}
    report = RollupReport()
    if not due:
        return report
    with duck.opened(lake.memory_limit, lake.layout.staging, views.schemas()) as con:
        days = _Days(lake, con, files)
        for rollup, changed in due.items():
            if progress:
                progress(f"rolling up {rollup.table}")
            gone = [(rollup.table, day_label(day)) for day, inputs in changed.items() if not inputs]
            for batch in days.batches(rollup, changed):
                staged = _staged(
                    lake, rollup, days.rolled(rollup, batch), {day: changed[day] for day in batch}
                )
                _commit(lake, ledger, staged, [], now)
                report.add(rollup.table, batch, sum(file.rows for file in staged))
            if gone:
                _commit(lake, ledger, [], gone, now)
                report.add(rollup.table, [label_day(label) for _, label in gone], 0)
    return report


def _staged(lake: Lake, rollup: Rollup, rows: pa.Table, days: Due) -> list[Staged]:
    """A file for each day, also for one that nothing came of."""
    parts = pl.DataFrame(rows).partition_by("day", as_dict=True, maintain_order=True)
    empty = rows.slice(0, 0)
    return [
        lake.stage(rollup.table, day_label(day), parts.get((day,), empty), inputs)
        for day, inputs in days.items()
    ]


def _commit(
    lake: Lake, ledger: Ledger, staged: list[Staged], gone: list[tuple[str, str]], now: datetime
) -> None:
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=now, stage="measure", note="roll-ups", remove=gone)


def _due(lake: Lake, rollup: Rollup, files: Mapping[str, Days]) -> Due:
    """The days that are out of date, each with what it is to be made from; nothing where its records are gone."""
    query = hashlib.sha256(f"{VERSION} {sql_text(rollup.table)}".encode()).hexdigest()
    made = {label_day(file.label): file.inputs for file in lake.files(rollup.table)}
    wanted: Due = {}
    for day in sorted({day for table in rollup.reads for day in files[table]}):
        read = "".join(file.sha256 for file in _read(rollup, files, day))
        wanted[day] = hashlib.sha256(f"{query}{read}".encode()).hexdigest()
    found = {day: inputs for day, inputs in wanted.items() if made.get(day) != inputs}
    return found | dict.fromkeys(made.keys() - wanted.keys(), "")


def _read(rollup: Rollup, files: Mapping[str, Days], day: date) -> list[DataFile]:
    days = (day, day + _DAY) if rollup.past_midnight else (day,)
    return [file for table in rollup.reads for each in days for file in files[table].get(each, [])]


@dataclass(slots=True)
class _Days:
    """A connection in which the tables hold one day at a time."""

    lake: Lake
    con: Any
    files: Mapping[str, Days]

    def batches(self, rollup: Rollup, changed: Due) -> Iterator[list[date]]:
        """The days that still have records, in order, as many at a time as are rolled up together."""
        days = sorted(day for day, inputs in changed.items() if inputs)
        sizes = (sum(file.rows for file in _read(rollup, self.files, day)) for day in days)
        return batches(zip(days, sizes, strict=True), _BATCH_ROWS)

    def rolled(self, rollup: Rollup, days: Sequence[date]) -> pa.Table:
        """These days of a roll-up, in the columns of its table."""
        for table in rollup.reads:
            self._show(table, rollup, days)
        schema = BY_NAME[rollup.table].schema
        query = sql_text(rollup.table)
        if rollup.past_midnight:
            calls = self.con.sql(query, params={"after": f"{max(days) + _DAY} 00:00:00Z"}).to_arrow_table()
            return pa.Table.from_pylist(trunk_hours(calls, days), schema=schema)
        if "positional join" in query:
            self._check_pairs(days)
        return self.con.sql(query).to_arrow_table().select(schema.names).cast(schema)

    def _show(self, table: str, rollup: Rollup, days: Sequence[date]) -> None:
        """Puts the files of these days in place of a whole table."""
        wanted = {*days, *(day + _DAY for day in days if rollup.past_midnight)}
        files = [self.lake.verify(file) for day in sorted(wanted) for file in self.files[table].get(day, [])]
        spec = BY_NAME[table]
        for view in views.table_views(spec, views.over(spec, [file.path.resolve() for file in files])):
            self.con.execute(view.statement)

    def _check_pairs(self, days: Sequence[date]) -> None:
        """Whether a cost and the first charge of the same call stand at the same place among their like."""
        found = self.con.execute("""
            select count(*)
            from (select date_stop as cost_stop from rate.calls where level = 0) as costs
            positional join (select date_stop as charge_stop from rate.calls where level = 1) as charges
            where cost_stop is distinct from charge_stop
        """).fetchall()[0][0]
        if found:
            msg = f"rate/calls from {days[0]} on: {found} costs stand beside no charge. Run `tollbook verify --repair`."
            raise LakeError(msg)
