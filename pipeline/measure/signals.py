"""Signals of possible fraud: what is looked for in each day's records, and what of it is kept.

Each kind is a query, ``sql/measure/signals/<kind>.sql``; those under ``steps`` lay out what all of them read: the
records of some days in whole numbers, what they add up to, and what each customer was used to before. Only landed
records are read, so that an alarm waits for no rating. A day is looked at again where its records, those of the days it
is compared with, the policy or a query have changed; a number that changes hands later does not rewrite the past.

What is found is a row of ``measure.signals``, and each record behind it one of ``measure.signal_records``. A month lies
in one file of each table, as with the roll-ups.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from pipeline.domain.rate_plan import upwards
from pipeline.lake.batches import batches, by_day
from pipeline.lake.disk import quoted
from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters
from pipeline.masters.signals import KINDS, SignalPolicy
from pipeline.shipped import shipped

# Raise it when rows change though the queries do not.
VERSION = "1"
LOOKED_AT = "measure/signal_days"
# Days are looked at several at a time, for a query costs milliseconds before it reads a row; but not without end.
_BATCH_ROWS = 500_000
_FEEDS = ("land/calls", "land/messages")
_HABITS = {"measure/signal_hours": "known_hours", "measure/signal_ranges": "known_ranges"}
_FOUND = {"measure/signals": "signals", "measure/signal_records": "behind"}
_RECORDS = ("who", "calls", "texts", "ranges", "areas", "up", "hours", "dialled")
_PAST = ("past_hours", "past_ranges", "past_days")
_NAMED = re.compile(r"\$([a-z_]+)")
_DAY = timedelta(days=1)
_PLACES = 1 << 40
Progress = Callable[[str], None]
Days = Mapping[date, Sequence[DataFile]]


class Duck(Protocol):
    """What is needed of a DuckDB connection; the lake hands them out."""

    def execute(self, query: str, parameters: object = None) -> Any: ...
    def register(self, name: str, rows: object) -> Any: ...
    def sql(self, query: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class SignalReport:
    """The days that were looked at anew, how many were as before, and the signals of those days by kind."""

    written: int
    unchanged: int
    signals: Mapping[str, int]


def find_signals(
    lake: Lake, ledger: Ledger, masters: Masters, *, now: datetime, progress: Progress | None = None
) -> SignalReport:
    """Looks at the days of which anything has changed, and keeps what they raise in the place of what they had.

    Raises:
        LakeError: a landed file is damaged.
    """
    with lake.duck(apart=True) as con:
        # Queries of this size cost a tenth less on one thread, and the same day gives the same rows in the same order.
        con.execute("set threads = 1")
        look = _Look(lake, con, masters.policy.signals, _zones(con, masters))
        return _look_at_all(look, ledger, now, progress or (lambda _text: None))


def _look_at_all(look: "_Look", ledger: Ledger, now: datetime, progress: Progress) -> SignalReport:
    lake = look.lake
    files = by_day(file for table in _FEEDS for file in lake.files(table))
    wanted = _inputs(files, look.policy, look.zones)
    held = _held(lake)
    due = sorted(day for day, inputs in wanted.items() if day not in held or held[day].inputs != inputs)
    gone = sorted(held.keys() - wanted.keys())
    raised: dict[str, int] = {}
    if due or gone:
        look.remember(due, gone)
    for month in sorted({day.replace(day=1) for day in [*due, *gone]}):
        progress(f"looking for signals in {month:%Y-%m}")
        here = [day for day in due if day.replace(day=1) == month]
        sizes = ((day, sum(file.rows for file in files[day])) for day in here)
        for batch in batches(sizes, _BATCH_ROWS):
            for kind, count in look.at({day: files[day] for day in batch}).items():
                raised[kind] = raised.get(kind, 0) + count
        left = [day for day in gone if day.replace(day=1) == month]
        held = {d: looked for d, looked in held.items() if d not in left}
        held |= {d: _Looked(wanted[d], 0) for d in here}
        _keep(look, ledger, month, [*here, *left], held, now)
    return SignalReport(len(due), len(wanted) - len(due), raised)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a day was looked at with, and how many rows came of it in all tables."""

    inputs: str
    rows: int


def _held(lake: Lake) -> dict[date, _Looked]:
    """The days that have been looked at, but for those of a month of which a file is missing."""
    rows = lake.scan(LOOKED_AT).collect().iter_rows(named=True)
    looked = {row["day"]: _Looked(row["inputs"], row["rows"] or 0) for row in rows}
    missing: Counter[str] = Counter()
    for day, found in looked.items():
        missing[_label(day)] += found.rows
    for file in (file for table in (*_HABITS, *_FOUND) for file in lake.files(table)):
        missing[file.label] -= file.rows
    return {day: found for day, found in looked.items() if not missing[_label(day)]}


def _label(day: date) -> str:
    return f"month={day:%Y-%m}"


def _keep(
    look: "_Look", ledger: Ledger, month: date, days: Sequence[date], held: dict[date, _Looked], now: datetime
) -> None:
    """Puts a month's new days in the place of the old ones, in all tables at once."""
    lake = look.lake
    label, staged, empty = _label(month), [], []
    for table, rows in look.made().items():
        for day, count in Counter(rows["day"].to_pylist()).items():
            held[day] = _Looked(held[day].inputs, held[day].rows + count)
        kept = lake.scan(table, [label]).filter(~pl.col("day").is_in(list(days))).collect()
        whole = pl.concat([kept, pl.DataFrame(pl.from_arrow(rows))]).sort(BY_NAME[table].schema.names[:4])
        if whole.is_empty():
            empty.append((table, label))
        else:
            staged.append(lake.stage(table, label, whole))
    looked = [{"day": day, "inputs": found.inputs, "rows": found.rows} for day, found in sorted(held.items())]
    schema = BY_NAME[LOOKED_AT].schema
    staged.append(lake.stage(LOOKED_AT, "all", pa.Table.from_pylist(looked, schema=schema)))
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=now, stage="measure", note=f"signals of {month:%Y-%m}", remove=empty)


@dataclass(slots=True)
class _Look:
    """A connection that knows the days before, and collects what the days at hand raise."""

    lake: Lake
    con: Duck
    policy: SignalPolicy
    zones: Mapping[str, str]

    def remember(self, due: Sequence[date], gone: Sequence[date]) -> None:
        """Lays out what is known of the days that the due ones are compared with, and empty tables for the rest."""
        old = [*due, *gone]
        for table, known in _HABITS.items():
            for file in self.lake.files(table):
                self.lake.verify(file)
            self.con.execute(
                f"create temp table {known} as select * from {table.replace('/', '.')} "
                f"where day >= $since and not list_contains($old::date[], day)",
                {"since": min(old) - self.policy.history_days * _DAY, "old": old},
            )
        self.con.execute(
            "create temp table owned as select distinct try_cast(ltrim(phonenumber, '+') as ubigint) as number "
            "from land.dids where phonenumber is not null"
        )
        for table, name in (_HABITS | _FOUND).items():
            self.con.execute(
                f"create temp table new_{name} as select * from {table.replace('/', '.')} limit 0"
            )

    def at(self, days: Days) -> dict[str, int]:
        """Looks at some days together; how many signals of each kind there are."""
        self._show([file for day in sorted(days) for file in days[day]])
        for step in _RECORDS:
            self._make(step)
        for (table, known), step in zip(_HABITS.items(), ("hours", "dialled"), strict=True):
            columns = ", ".join(BY_NAME[table].schema.names)
            for target in (known, f"new_{known}"):
                self.con.execute(
                    f"insert into {target} select {columns} from {step} join who using (partner)"
                )
        for step in _PAST:
            self._make(step)
        self.con.register("nights", self._nights())
        counts = {kind: self._raise(kind) for kind in KINDS if kind not in self.policy.off}
        found = {kind: count for kind, count in counts.items() if count}
        if found:
            self._make("behind")
            self._make("signals")
            for name in _FOUND.values():
                columns = ", ".join(BY_NAME[_table(name)].schema.names)
                self.con.execute(f"insert into new_{name} by name select {columns} from {name}")
        return found

    def made(self) -> dict[str, pa.Table]:
        """What has been found since it was last asked for."""
        tables = {}
        for table, name in (_HABITS | _FOUND).items():
            schema = BY_NAME[table].schema
            tables[table] = (
                self.con.sql(f"from new_{name}").to_arrow_table().select(schema.names).cast(schema)
            )
            self.con.execute(f"delete from new_{name}")
        return tables

    def _show(self, files: Sequence[DataFile]) -> None:
        """The records of these files, each with its place: the number of its file, and its row there."""
        places = list(enumerate(map(self.lake.verify, files)))
        for table in _FEEDS:
            name = f"landed_{table.partition('/')[2]}"
            parts = [
                f"select *, {number * _PLACES} + file_row_number as place from "
                f"read_parquet('{quoted(file.path)}', hive_partitioning = false, file_row_number = true)"
                for number, file in places
                if file.table == table
            ]
            none = f"select *, 0::bigint as place from {table.replace('/', '.')} limit 0"
            self.con.execute(
                f"create or replace temp view {name} as {' union all by name '.join(parts) or none}"
            )
        self.con.execute(
            "create or replace temp table raised (signal_sid varchar, day date, kind varchar, partner_sid varchar, "
            "subject varchar, reason varchar, measured decimal(18, 3), threshold decimal(18, 3), unit varchar, "
            "places bigint[])"
        )

    def _make(self, step: str) -> None:
        text = _query(f"steps/{step}")
        self.con.execute(f"create or replace temp table {step} as\n{text}", self._settings(text))

    def _raise(self, kind: str) -> int:
        text, shown = _query(kind), _query("steps/raised")
        self.con.execute(f"create or replace temp table found as\n{text}", self._settings(text))
        done = self.con.execute(
            f"insert into raised by name\n{shown}", {"kind": kind, "quiet": list(self.policy.quiet)}
        )
        return int(done.fetchall()[0][0])

    def _settings(self, text: str) -> dict[str, Any]:
        """Those values of the policy that a query names."""
        said = "\n".join(line.partition("--")[0] for line in text.splitlines())
        values = {name: getattr(self.policy, name) for name in _NAMED.findall(said)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def _nights(self) -> pa.Table:
        """The UTC hours of each customer's night on each day."""
        rows = self.con.execute("select partner, partner_sid, day from who").fetchall()
        held = [
            (partner, hour)
            for partner, sid, day in rows
            for hour in _night(self.zones.get(sid, "UTC"), day, self.policy.night_from, self.policy.night_to)
        ]
        numbers, hours = zip(*held, strict=True) if held else ((), ())
        return pa.table({"partner": pa.array(numbers, pa.uint64()), "hour": pa.array(hours, pa.int32())})


def _table(name: str) -> str:
    return next(table for table, known in _FOUND.items() if known == name)


@cache
def _query(name: str) -> str:
    return shipped("sql", "measure", "signals", f"{name}.sql").read_text(encoding="utf-8")


@cache
def _night(zone: str, day: date, first: int, last: int) -> tuple[int, ...]:
    """The UTC hours of a UTC day whose beginning is at night in a time zone."""
    started = datetime.combine(day, time(), UTC)
    hours = {n: (started + timedelta(hours=n)).astimezone(ZoneInfo(zone)).hour for n in range(24)}
    return tuple(
        n
        for n, hour in hours.items()
        if (first <= hour < last if first < last else hour >= first or hour < last)
    )


def _zones(con: Duck, masters: Masters) -> dict[str, str]:
    """The time zone of each partner: its own as a customer, else that of the nearest customer above it."""
    parents = dict(con.execute("select partner_sid, parent_sid from land.partners").fetchall())
    found = {}
    for sid in {*parents, *masters.customers}:
        path = upwards(sid, parents) if sid in parents else [sid]
        customer = next((masters.customers[above] for above in path if above in masters.customers), None)
        found[sid] = customer.time_zone if customer else "UTC"
    return found


def _inputs(files: Days, policy: SignalPolicy, zones: Mapping[str, str]) -> dict[date, str]:
    """A fingerprint per day of all that its signals come from."""
    names = sorted(
        path.relative_to(shipped("sql")).as_posix()
        for path in shipped("sql", "measure", "signals").rglob("*.sql")
    )
    lists = ("measure/risky_ranges.sql", "measure/calling_codes.sql")
    texts = [shipped("sql", *name.split("/")).read_text(encoding="utf-8") for name in (*names, *lists)]
    how = hashlib.sha256(repr((VERSION, texts, asdict(policy), sorted(zones.items()))).encode()).hexdigest()
    own = {day: "".join(sorted(file.sha256 for file in found)) for day, found in files.items()}
    return {
        day: hashlib.sha256(
            "".join(
                [how, own[day], *(own.get(day - n * _DAY, "") for n in range(1, policy.history_days + 1))]
            ).encode()
        ).hexdigest()
        for day in files
    }
