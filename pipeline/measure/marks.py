"""Marks: what became of most charges, known without looking at one of them.

Day by day and payer by payer, what is charged and what invoices took is added up once, each sum with a mark: a sum of
hashes, the same where the records are the same. Where the marks agree a whole day is claimed, where nobody claims any
of it a whole day waits, and only what is left is compared record by record: by the same query as ever, which is shown
nothing else. ``sql/measure/charge_days.sql`` and ``claim_days.sql`` are the sums, ``sql/measure/marks`` what they say.

The charges of a day are a file; what all invoices took is one, for an invoice is too small to have its own. Hashes are
DuckDB's: under another release of it all is marked anew. What has no price, or was charged to us otherwise than our
rating says, is asked of ``measure.exceptions``; what the provider's invoices stand on, of the roll-ups.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa

from pipeline.lake.batches import by_day
from pipeline.lake.disk import quoted
from pipeline.lake.duck import Duck
from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.layout import day_label, label_day, whole
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import over, sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.measure.exceptions import EXCEPTIONS, set_apart

# Raise it when rows change though the queries do not.
VERSION = "1"
CHARGES, CLAIMS, MONEY = "measure/charge_days", "measure/claim_days", "measure/money_days"
_RATED = ("rate/calls", "rate/messages")
_TAKEN = ("invoice/claims", "invoice/draws", "invoice/adjusted")
# What is asked of all records by sql/measure, and of roll-ups and marks by sql/measure/marks.
_SHORTENED = ("fates_by_day", "ratings", "claim_sums")
_KEY = "day, service, payer_sid, payee_sid"
# The files of claims, draws and adjusted records that hold some of these days; and all that hold later revisions.
_OPENED = """
select distinct file from measure.claim_days semi join open_keys using (day, service) where not revised
"""
_REVISED = """
select 'date=' || day from measure.charge_days where revised
union
select file from measure.claim_days where revised
"""
_OPEN = """
semi join open_keys as k
    on k.service = r.service and k.day = date '1970-01-01' + (epoch_ms(r.date_stop) // 86400000)::integer
    and k.payer_sid is not distinct from r.payer_sid and k.payee_sid is not distinct from r.payee_sid
"""
# What fates depend on.
_COMPARED = (
    *("source", "dr_sid", "revision", "side", "service", "payer_sid", "payee_sid", "date_stop"),
    *("invoice_sid", "kind", "rating_status", "currency", "amount", "usage"),
    *("billed_seconds", "billed_units"),
)
_FATES = pa.schema(
    [("day", pa.date32())]
    + [(name, pa.string()) for name in ("service", "fate", "reason", "currency")]
    + [("records", pa.int64()), ("usage", pa.decimal128(38, 3)), ("money", pa.decimal128(38, 10))]
)


def mark(lake: Lake, ledger: Ledger, *, now: datetime) -> None:
    """Marks what has been rated or taken by invoices since it was last done, and sets exceptions apart."""
    staged, gone = set_apart(lake)
    with lake.duck() as con:
        days, old = _charges(lake, con)
        staged += [*days, *_claims(lake, con)]
        gone += old
    if staged or gone:
        with ledger.transaction() as tx:
            lake.commit(tx, staged, at=now, stage="measure", note="marks", remove=gone)


def shorten(lake: Lake, con: Duck) -> None:
    """Has a connection answer from roll-ups and marks, which are up to date, what it would ask of all records.

    Raises:
        LakeError: a file of these is damaged.
    """
    for file in (file for table in (CHARGES, CLAIMS, EXCEPTIONS, MONEY) for file in lake.files(table)):
        lake.verify(file)
    for step in ("rated_since", "reopened", "buckets"):
        con.execute(f"create temp table {step} as {_step(step)}")
    _show_exceptions(lake, con)
    _show_costs(con)
    con.register("compared", _compared(lake, con))
    for view in _SHORTENED:
        con.execute(f"create temp table short_{view} as {_step(view)}")
        con.execute(f"create or replace view measure.{view} as from short_{view}")


def _show_exceptions(lake: Lake, con: Duck) -> None:
    """What was written off and has been rated since is none any more: where there is such, all records are asked."""
    _show(con, "rate/charge_costs", "from measure.exceptions where side = 'cost'")
    if con.execute("select 1 from rated_since limit 1").fetchall():
        return
    with lake.duck() as other:
        for table in _RATED:
            names = ", ".join(BY_NAME[table].schema.names)
            service = table.partition("/")[2].removesuffix("s")
            _show(other, table, f"select {names} from measure.exceptions where service = '{service}'")
        con.register("made_suspense", other.sql("from rate.suspense").to_arrow_table())
    _show(con, "rate/suspense", "from made_suspense")


def _show_costs(con: Duck) -> None:
    """Sums of days are costs of an instant, but where an invoice's period begins or ends in between."""
    rows, days = sql_text("rate/costs"), _step("costs")
    _show(con, "rate/costs", days)
    ends = con.execute(
        "select unnest([first, last + interval 1 second]) from rate.invoice_differences"
    ).fetchall()
    instants = {end.astimezone(UTC) for (end,) in ends if end}
    within = {datetime.combine(at, time(), UTC) for at in instants if at.time() != time()}
    if within:
        there = (f"date_stop >= '{day}' and date_stop < '{day + timedelta(days=1)}'" for day in within)
        wanted = " or ".join(f"({each})" for each in there)
        _show(
            con,
            "rate/costs",
            f"from ({days}) where not ({wanted}) union all by name from ({rows}) where {wanted}",
        )


def _charges(lake: Lake, con: Duck) -> tuple[list[Staged], list[tuple[str, str]]]:
    """The days that are to be marked anew, and those that are gone."""
    how, query = _how(con, CHARGES)
    files = by_day(file for table in _RATED for file in lake.files(table))
    wanted = {day_label(day): how + _hash(file.sha256 for file in found) for day, found in files.items()}
    made = {file.label: file.inputs for file in lake.files(CHARGES)}
    due = sorted(label for label, inputs in wanted.items() if made.get(label) != inputs)
    gone = [(CHARGES, label) for label in made.keys() - wanted.keys()]
    if not due:
        return [], gone
    read = [file for label in due for file in files[label_day(label)]]
    for table in _RATED:
        _show(con, table, _rows(lake, table, (file for file in read if file.table == table)))
    con.execute(f"create temp table charged as {query}")
    days = ((label, f"from charged where day = '{label_day(label)}'") for label in due)
    return [lake.stage_query(con, CHARGES, label, rows, None, wanted[label]) for label, rows in days], gone


def _claims(lake: Lake, con: Duck) -> list[Staged]:
    """The file of what all invoices took, where that has changed; counted are only files that it has not."""
    how, query = _how(con, CLAIMS)
    live = {file.path.name: file for table in _TAKEN for file in lake.files(table) if file.rows}
    inputs, made = how + _hash(sorted(live)), lake.files(CLAIMS)
    if [file.inputs for file in made] == ([inputs] if live or made else []):
        return []
    con.register("live", pa.table({"file": pa.array(live, pa.string())}))
    usable = (file for file in made if file.inputs.startswith(how))
    con.execute(f"create temp table kept as from ({_rows(lake, CLAIMS, usable)}) semi join live using (file)")
    held = _texts(con, "select distinct file from kept")
    for table in _TAKEN:
        new = (file for name, file in live.items() if file.table == table and name not in held)
        _show(con, table, _named(lake, table, new))
    both = f"from ({query}) union all by name from kept order by all"
    return [lake.stage_query(con, CLAIMS, "all", both, None, inputs)]


def _compared(lake: Lake, con: Duck) -> pa.Table:
    """The fates, by day, of the records that are looked at one by one: all of later revisions among them."""
    keys = con.sql(f"select {_KEY} from buckets where state = 'open'").to_arrow_table()
    con.register("open_keys", keys)
    opened = {day_label(day) for day in keys["day"].to_pylist()} | _texts(con, _OPENED)
    changed = _texts(con, _REVISED)
    if not (opened or changed):
        return _FATES.empty_table()
    with lake.duck() as other:
        other.register("open_keys", keys)
        for table in (*_RATED, *_TAKEN):
            files = [(file, {whole(file.label), file.path.name}) for file in lake.files(table)]
            some = ([file for file, names in files if names & wanted] for wanted in (opened, changed))
            _hold(other, table, *(_rows(lake, table, found) for found in some))
        return other.sql("from measure.fates_by_day").to_arrow_table().select(_FATES.names).cast(_FATES)


def _hold(con: Duck, table: str, opened: str, changed: str) -> None:
    """Has a connection know of a table only the first revisions of open buckets and the changed ones, read once."""
    held = f"held_{table.replace('/', '_')}"
    wanted = [name for name in BY_NAME[table].schema.names if name in _COMPARED]
    names = ", ".join(f"r.{name}" for name in wanted)
    con.execute(
        f"create temp table {held} as select {names} from ({changed}) as r where revision > 1 union all "
        f"select {names} from ({opened}) as r {_OPEN} where r.revision = 1"
    )
    rest = ", ".join(f"null as {name}" for name in BY_NAME[table].schema.names if name not in _COMPARED)
    _show(con, table, f"select *, {rest} from {held}")


def _texts(con: Duck, query: str) -> set[str]:
    return {text for (text,) in con.execute(query).fetchall()}


def _show(con: Duck, table: str, query: str) -> None:
    con.execute(f"create or replace view {table.replace('/', '.')} as {query}")


def _rows(lake: Lake, table: str, files: Iterable[DataFile]) -> str:
    return over(BY_NAME[table], [lake.verify(file).path for file in files])


def _named(lake: Lake, table: str, files: Iterable[DataFile]) -> str:
    """The same, each row with the name of its file."""
    paths = ", ".join(f"'{quoted(lake.verify(file).path)}'" for file in files)
    if not paths:
        return f"select *, null::varchar as file from ({over(BY_NAME[table], [])})"
    how = "hive_partitioning = false, union_by_name = true, filename = true"
    return f"select *, parse_filename(filename) as file from read_parquet([{paths}], {how})"


def _step(name: str) -> str:
    return sql_text(f"measure/marks/{name}")


def _how(con: Duck, table: str) -> tuple[str, str]:
    """What all rows of a table are made with, in short, and its query."""
    query = sql_text(table)
    [(release,)] = con.execute("select version()").fetchall()
    return _hash([VERSION, release, query]), query


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256(repr(list(texts)).encode()).hexdigest()[:32]
