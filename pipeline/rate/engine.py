"""The fast engine: rates whole days in one SQL pass and replaces their files.

A day is rated again only when something that its rows come from has changed: its landed records, the plans,
assignments, customers, partners or endpoints, or the query itself. Days are taken in batches that fit in memory;
every batch must give exactly one cost row per landed record, or nothing of it is committed.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from pipeline.domain.numbering import country_of
from pipeline.errors import LakeError
from pipeline.lake.disk import quoted
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.layout import day_label, label_day
from pipeline.lake.views import sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters
from pipeline.rate.choices import choices
from pipeline.rate.due import SERVICES, TABLES, Due, Service, emptied, find_due
from pipeline.rate.report import RateReport, Tally
from pipeline.rate.world import World, read_world

BATCH_RECORDS = 40_000
Progress = Callable[[int, int], None]
# A DuckDB connection, as the lake hands it out; only the lake may name its type.
Duck = Any


def rate_days(
    lake: Lake,
    ledger: Ledger,
    masters: Masters,
    *,
    root_sid: str,
    days: Sequence[date] | None,
    now: datetime,
    progress: Progress | None = None,
    services: Sequence[str] = SERVICES,
) -> RateReport:
    """Rates the given days, or all that have landed, where anything has changed.

    ``progress`` is called with (records done, records to do). Days that have lost all their records lose their rated
    file too.

    Raises:
        LakeError: a landed file is damaged, or a pass did not account for every record.
    """
    world = read_world(lake, masters, root_sid)
    report = RateReport(warnings=_warnings(world))
    labels = None if days is None else [day_label(d) for d in days]
    due: dict[str, list[Due]] = {}
    for name in services:
        due[name], unchanged = find_due(lake, TABLES[name], world, labels)
        report.unchanged += unchanged
    to_do, done = sum(d.file.rows for found in due.values() for d in found), 0
    for name in services:
        _remove_empty(lake, ledger, TABLES[name], labels, now, report)
    if not to_do:
        return report
    with lake.duck() as con:
        prepare(con, world)
        for name, found in due.items():
            for batch in _batches(found):
                staged = _rate_batch(con, lake, world, TABLES[name], batch, report)
                with ledger.transaction() as tx:
                    lake.commit(tx, staged, at=now, stage="rate", note=f"{name}s of {len(batch)} days")
                done += sum(d.file.rows for d in batch)
                if progress:
                    progress(done, to_do)
    return report


def prepare(con: Duck, world: World) -> None:
    """Registers what every batch reads."""
    con.register("endpoint_types", world.endpoint_types())


def rate_landed(con: Duck, world: World, service: str) -> None:
    """Rates the rows of the view ``landed`` into the temporary table ``rated``."""
    partners = [
        sid for (sid,) in con.execute("select distinct coalesce(partner_sid, '') from landed").fetchall()
    ]
    made = choices(world.book, world.tree, service, partners, world.kinds(service))
    con.register("parties", made.parties)
    con.register("choices", made.choices)
    con.register("plans", made.plans)
    if service == "message":
        _register_countries(con, "select distinct translate(number_dst, '+ ().-', '') from landed")
    con.execute(f"create or replace temp table rated as {sql_text(TABLES[service].rated)}")
    if service == "call":
        _register_countries(con, "select distinct matched_number from rated where country_code is null")


def _remove_empty(
    lake: Lake, ledger: Ledger, service: Service, labels: list[str] | None, now: datetime, report: RateReport
) -> None:
    gone = [(service.rated, label) for label in emptied(lake, service, labels)]
    if gone:
        with ledger.transaction() as tx:
            lake.commit(tx, [], at=now, stage="rate", note=f"{len(gone)} days have no records", remove=gone)
        report.removed += len(gone)


def _batches(due: list[Due]) -> Iterator[list[Due]]:
    batch: list[Due] = []
    for day in due:
        if batch and sum(d.file.rows for d in batch) + day.file.rows > BATCH_RECORDS:
            yield batch
            batch = []
        batch.append(day)
    if batch:
        yield batch


def _rate_batch(
    con: Duck,
    lake: Lake,
    world: World,
    service: Service,
    batch: list[Due],
    report: RateReport,
) -> list[Staged]:
    paths = ", ".join(f"'{quoted(d.file.path)}'" for d in batch)
    con.execute(
        "create or replace temp view landed as "
        f"select * from read_parquet([{paths}], hive_partitioning = false, union_by_name = true)"
    )
    rate_landed(con, world, service.name)
    # What DuckDB knows of a batch's nulls would else decide whether a file's columns are optional: the same day
    # must give the same bytes in any batch.
    con.execute("set disabled_optimizers = 'statistics_propagation'")
    staged = [_stage_day(con, lake, service, day) for day in batch]
    con.execute("reset disabled_optimizers")
    _check_complete(con, service, batch, staged)
    report.written += len(batch)
    report.add(_tallies(con, service))
    if service.name == "call":
        _count_oddities(con, report)
    return staged


def _stage_day(con: Duck, lake: Lake, service: Service, day: Due) -> Staged:
    return lake.stage_query(
        con, service.rated, day.file.label, day_query(service.name, day.file.label), None, day.inputs
    )


def day_query(service: str, label: str) -> str:
    """The rows of one day of ``rated``, complete and in their lasting order."""
    start = label_day(label)
    country = "r.country_code" if service == "message" else "coalesce(r.country_code, n.country_code)"
    return f"""
        select r.* replace ({country} as country_code)
        from rated as r
        left join number_countries as n on n.number = r.matched_number
        where r.date_stop >= timestamptz '{start} 00:00:00+00'
            and r.date_stop < timestamptz '{start + timedelta(days=1)} 00:00:00+00'
        order by r.date_stop, r.dr_sid, r.source, r.level, r.payer_sid
    """


def _check_complete(con: Duck, service: Service, batch: list[Due], staged: list[Staged]) -> None:
    landed = sum(d.file.rows for d in batch)
    costs, rows = con.execute("select count(*) filter (side = 'cost'), count(*) from rated").fetchall()[0]
    if costs != landed or rows != sum(s.rows for s in staged):
        msg = (
            f"{service.rated}: {landed} records landed, {costs} were rated, {sum(s.rows for s in staged)} of {rows} "
            "rows fell on their days. Nothing was committed; run `tollbook verify`."
        )
        raise LakeError(msg)


def _register_countries(con: Duck, query: str) -> None:
    numbers = [number for (number,) in con.execute(query).fetchall() if number and number.isdigit()]
    known = [country_of(n) for n in numbers]
    con.register(
        "number_countries",
        pa.table({"number": pa.array(numbers, pa.string()), "country_code": pa.array(known, pa.string())}),
    )


def _tallies(con: Duck, service: Service) -> list[Tally]:
    rows = con.execute(f"""
        select service, side, level, rating_status, unrated_reason, currency, count(*),
            coalesce(sum({service.usage}), 0)::decimal(38, 3), coalesce(sum(amount), 0)
        from rated group by all
    """).fetchall()
    return [Tally(*row) for row in rows]


def _count_oddities(con: Duck, report: RateReport) -> None:
    unknown, differ = con.execute("""
        select
            count(*) filter (e.endpoint_sid is null and l.direction in ('inbound', 'outbound')),
            count(*) filter (
                l.number_dst is distinct from coalesce(l.number_dst_transformed, l.number_dst)
                or l.number_dst is distinct from coalesce(l.number_dst_original, l.number_dst)
            )
        from landed as l
        left join endpoint_types as e
            on e.endpoint_sid = if(l.direction = 'inbound', l.endpoint_sid_src, l.endpoint_sid_dst)
    """).fetchall()[0]
    report.endpoint_unknown += unknown
    report.numbers_differ += differ


def _warnings(world: World) -> tuple[str, ...]:
    return tuple(
        f"assignments.csv names the plan {sid}, which is not imported: import it, or its customers stay unrated."
        for sid in world.book.unknown_plans()
    )
