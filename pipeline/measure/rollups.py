"""The roll-ups: each day of records once, counted and added up, so that a year of questions reads no record.

A roll-up is a table of the lake. Its query, ``sql/measure/<name>.sql``, says what it is; ``pipeline.measure.tallies``
counts it. It is made of a few days at a time and of a few files at a time, each column of which is read once for all
roll-ups, and again only where one of these files or the query has changed: each day is a file that carries the
fingerprint of what it was made from. A day whose records are gone is gone here too.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from pipeline.lake.batches import batches, by_day
from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.layout import day_label, label_day
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.measure import tallies
from pipeline.measure.concurrency import holding, trunk_hours
from pipeline.measure.records import Records, merged, put

# Raise it when rows change though the queries do not.
VERSION = "1"
_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)
# Small days are made together, for to make one costs milliseconds; but not without end.
_BATCH_ROWS = 500_000
# The more at a time, the fewer parts are to be added up; but they lie in memory.
_PIECE_ROWS = 250_000
# From what has once been given back in this size, below 32 MB, the C library learns to keep memory for what comes next.
_KEPT = 2**25 - 2**13
_SOURCES = ("land/calls", "land/messages", "rate/calls", "rate/messages")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Count:
    """How the records of a table are counted, and in which columns."""

    table: str
    columns: tuple[str, ...]
    rows: Callable[[Records], pa.Table]


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table, what it is counted from, and the columns that its rows differ and are ordered by.

    ``least`` are those that these decide, and ``finish`` adds what only all rows together can say. Calls of the next
    day that began before midnight belong to one that looks ``past_midnight``, whose rows are made of the days at once.
    """

    table: str
    counts: tuple[Count, ...]
    keys: tuple[str, ...]
    least: tuple[str, ...] = ()
    finish: Callable[[pa.Table], pa.Table] | None = None
    past_midnight: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables that it is made of."""
        return tuple(count.table for count in self.counts)

    @property
    def stage(self) -> str:
        """The stage whose records it counts."""
        return self.reads[0].partition("/")[0]


_HELD = ("date_start", "date_stop", "trunk_group_sid_src", "trunk_group_sid_dst")
_SPOKEN = (*_HELD, "date_talk", "direction", "partner_sid", "sipcause")
_ENDED = ("date_stop", "date_talk", "direction", "partner_sid", "sipcause", "disconnect_originator")
_USED = ("type", "direction", "partner_sid", "number_billing")
_TEXTED = ("direction", "type", "partner_sid", "status", "provider", "mcc", "mnc", "message_segments")
_PAID = (*tallies.PAID, "amount", "provider_price")
_SECONDS = ("base_seconds", "billed_seconds", "provider_billed_seconds")
_PRICED = ("date_stop", "level", "plan_sid", "plan_version", "matched_prefix", "country_code", "currency")

ROLLUPS = (
    Rollup(
        "measure/call_hours",
        (Count("land/calls", _SPOKEN, tallies.call_hours),),
        ("hour", "direction", "partner_sid", "trunk_group_sid_src", "trunk_group_sid_dst"),
    ),
    Rollup(
        "measure/cause_days",
        (Count("land/calls", (*_ENDED, *tallies.STIR), tallies.cause_days),),
        ("day", "direction", "partner_sid", "sipcause", "disconnect_originator", *tallies.STIR),
    ),
    Rollup(
        "measure/trunk_hours",
        (Count("land/calls", _HELD, holding),),
        ("hour", "side", "trunk_group_sid"),
        past_midnight=True,
    ),
    Rollup(
        "measure/number_days",
        (
            Count("land/calls", ("date_stop", "date_talk", *_USED), tallies.called_numbers),
            Count("land/messages", ("message_segments", *_USED), tallies.texted_numbers),
        ),
        ("day", "service", "type", "direction", "partner_sid", "number"),
    ),
    Rollup(
        "measure/lag_days",
        (Count("land/calls", ("date_stop", "date_insert"), tallies.lag_days),),
        ("day", "lag_seconds"),
    ),
    Rollup(
        "measure/message_days",
        (Count("land/messages", (*_TEXTED, "recipients", "date_start", "date_sent"), tallies.message_days),),
        ("day", "direction", "type", "partner_sid", "status", "provider", "mcc", "mnc"),
    ),
    Rollup(
        "measure/money_days",
        (
            Count(
                "rate/calls",
                (*_PAID, *_SECONDS),
                tallies.paid_calls,
            ),
            Count("rate/messages", (*_PAID, "billed_units"), tallies.paid_messages),
        ),
        ("day", "service", "level", "payer_sid", "direction", "family", "item_type", "country_code")
        + ("partner_sid", "currency", "rating_status", "unrated_reason"),
        finish=tallies.with_customers,
    ),
    Rollup(
        "measure/prefix_days",
        (Count("rate/calls", (*_PRICED, "base_seconds", "amount"), tallies.prefix_days),),
        ("day", "side", "plan_sid", "plan_version", "matched_prefix", "currency", "revenue_currency"),
        least=("country_code",),
        finish=tallies.with_revenue,
    ),
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


def roll_up(
    lake: Lake,
    ledger: Ledger,
    *,
    now: datetime,
    progress: Progress | None = None,
    tables: Collection[str] | None = None,
) -> RollupReport:
    """Rolls up the days of which anything has changed; those that are read together are committed together.

    ``tables`` names the roll-ups that are wanted; None: all.

    Raises:
        LakeError: a file is damaged, or a rated file does not hold its costs and charges in the same order.
    """
    # Memory that one array has given back serves the next; else to touch new memory costs as much as to count.
    pa.set_memory_pool(pa.system_memory_pool())
    np.empty(_KEPT, np.uint8)
    files = {table: by_day(lake.files(table)) for table in _SOURCES}
    wanted = [rollup for rollup in ROLLUPS if tables is None or rollup.table in tables]
    due = {rollup: found for rollup in wanted if (found := _due(lake, rollup, files))}
    report = RollupReport()
    for rollups, days in _alike(due).items():
        for batch in _batches(rollups, days, files):
            if progress:
                progress(f"rolling up {rollups[0].stage} from {batch[0]}")
            made = _made(lake, rollups, batch, files)
            staged = {rollup: _staged(lake, rollup, made[rollup], batch, due[rollup]) for rollup in rollups}
            _commit(lake, ledger, [file for held in staged.values() for file in held], [], now)
            for rollup, held in staged.items():
                report.add(rollup.table, batch, sum(file.rows for file in held))
    for rollup, changed in due.items():
        gone = [day for day, inputs in changed.items() if not inputs]
        if gone:
            _commit(lake, ledger, [], [(rollup.table, day_label(day)) for day in gone], now)
            report.add(rollup.table, gone, 0)
    return report


def _alike(due: Mapping[Rollup, Due]) -> dict[tuple[Rollup, ...], list[date]]:
    """The days that still have records, by the roll-ups of one stage's records that they are due for."""
    wanted: dict[tuple[str, date], list[Rollup]] = {}
    for rollup, changed in due.items():
        for day in (day for day, inputs in changed.items() if inputs):
            wanted.setdefault((rollup.stage, day), []).append(rollup)
    found: dict[tuple[Rollup, ...], list[date]] = {}
    for (_, day), rollups in sorted(wanted.items(), key=lambda held: held[0]):
        found.setdefault(tuple(rollups), []).append(day)
    return found


def _batches(
    rollups: Sequence[Rollup], days: Sequence[date], files: Mapping[str, Days]
) -> Iterator[list[date]]:
    """As many days at a time as are counted together."""
    tables = {table for rollup in rollups for table in rollup.reads}
    sizes = (sum(file.rows for table in tables for file in files[table].get(day, [])) for day in days)
    return batches(zip(days, sizes, strict=True), _BATCH_ROWS)


def _made(
    lake: Lake, rollups: Sequence[Rollup], days: Sequence[date], files: Mapping[str, Days]
) -> dict[Rollup, pa.Table]:
    """These days of the roll-ups, in the columns of their tables."""
    parts: dict[Rollup, list[pa.Table]] = {rollup: [] for rollup in rollups}
    for table in dict.fromkeys(table for rollup in rollups for table in rollup.reads):
        counts = [(r, count) for r in rollups for count in r.counts if count.table == table]
        columns = list(dict.fromkeys(name for _, count in counts for name in count.columns))
        held = [file for day in days for file in files[table].get(day, [])]
        pieces = (piece for file in held for piece in _pieces(lake, file, columns))
        for some in batches(((piece, len(piece)) for piece in pieces), _PIECE_ROWS):
            records = Records(pa.concat_tables(some))
            for rollup, count in counts:
                parts[rollup].append(count.rows(records))
    for rollup in rollups:
        if rollup.past_midnight:
            parts[rollup] += _past_midnight(lake, rollup, days, files)
    return {rollup: _finished(rollup, parts.pop(rollup), days) for rollup in rollups}


def _pieces(lake: Lake, file: DataFile, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Columns of a file and its day; where ``level`` is one, what a call costs and is charged is in one piece."""
    day = pa.scalar((label_day(file.label) - _EPOCH).days, pa.int32())
    held: pa.Table | None = None
    for found in lake.coded(file, columns):
        piece = put(found, "day", pa.repeat(day, len(found)))
        if held is not None:
            rest = int(np.argmax(piece["level"].to_numpy() == 0)) if "level" in columns else 0
            yield pa.concat_tables([held, piece.slice(0, rest)]) if rest else held
            piece = piece.slice(rest)
        held = piece
    if held is not None:
        yield held


def _past_midnight(
    lake: Lake, rollup: Rollup, days: Sequence[date], files: Mapping[str, Days]
) -> Iterator[pa.Table]:
    """What the calls count that went on past the end of these days, and ended on days that are not among them."""
    for day in sorted({day + _DAY for day in days} - set(days)):
        midnight = datetime.combine(day, time(), UTC)
        for count in rollup.counts:
            for file in files[count.table].get(day, []):
                for piece in lake.coded(file, count.columns, begun_before=midnight):
                    yield count.rows(Records(piece))


def _finished(rollup: Rollup, parts: Sequence[pa.Table], days: Sequence[date]) -> pa.Table:
    """What was counted of the records, as one table in order."""
    if rollup.past_midnight:
        parts = [trunk_hours(pa.concat_tables(parts), days)]
    rows = merged(parts, rollup.keys, rollup.least)
    schema = BY_NAME[rollup.table].schema
    for column in schema:
        if column.name not in rows.column_names:
            rows = rows.append_column(column.name, pa.nulls(len(rows), column.type))
    rows = rollup.finish(rows) if rollup.finish else rows
    if "hour" in rollup.keys:
        hours = rows["hour"].to_numpy()
        rows = put(put(rows, "day", pa.array(hours // 24)), "hour", pa.array(hours * tallies.HOUR))
    return put(rows, "day", rows["day"].cast(pa.int32())).select(schema.names).cast(schema)


def _staged(lake: Lake, rollup: Rollup, rows: pa.Table, days: Sequence[date], due: Due) -> list[Staged]:
    """A file for each day, also for one that nothing came of."""
    numbers = rows["day"].cast(pa.int32()).to_numpy()
    staged = []
    for day in days:
        first, after = np.searchsorted(numbers, [(day - _EPOCH).days, (day + _DAY - _EPOCH).days])
        here = rows.slice(first, after - first)
        staged.append(lake.stage(rollup.table, day_label(day), here, due[day]))
    return staged


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
