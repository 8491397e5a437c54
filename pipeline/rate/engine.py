"""The fast engine: rates whole days in SQL and replaces their files.

A day is rated again only when something that its rows come from has changed: its landed records, the plans,
assignments, customers, partners or endpoints, or the queries themselves. A part of a day is one file in and one file
out, and streams from one into the other, so that memory grows neither with the day nor with their number; the same
part gives the same bytes whatever is rated with it. What was written is read back and counted: every record must have
exactly one cost row and lie in its day, or nothing of the part is committed.

Several are rated at a time, each by a thread and a connection of its own to one database, where the decks lie once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from queue import SimpleQueue

from pipeline.errors import LakeError
from pipeline.lake.disk import quoted
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.layout import day_label, label_day
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters
from pipeline.rate.due import SERVICES, TABLES, Due, Service, emptied, find_due
from pipeline.rate.rater import Rater
from pipeline.rate.report import RateReport, Tally
from pipeline.rate.tariff import Duck, read_tariff
from pipeline.rate.world import World, read_world

WORKERS = 2
Progress = Callable[[int, int], None]
# What would reorder or reshape a day by what happens to be in it: which side of a join is held, and whether a column
# of the file is optional. The same day must give the same bytes beside any plans.
_FREE = "join_order,build_side_probe_side,statistics_propagation"


@dataclass(frozen=True, slots=True)
class _Day:
    """What became of a day."""

    staged: Staged
    tallies: list[Tally]
    endpoint_unknown: int = 0
    numbers_differ: int = 0


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
        _remove_empty(lake, ledger, TABLES[name], labels, now, report)
    to_do, done = sum(d.file.rows for found in due.values() for d in found), 0
    for name, found in due.items():
        for day, staged in _rated(lake, world, name, found, report):
            with ledger.transaction() as tx:
                lake.commit(tx, [staged], at=now, stage="rate", note=f"{name}s of {staged.label}")
            done += day.file.rows
            if progress:
                progress(done, to_do)
    return report


def prepare(con: Duck, world: World) -> None:
    """Registers what every day reads."""
    con.register("endpoint_types", world.endpoint_types())


def rate_landed(con: Duck, world: World, service: str) -> None:
    """Rates the rows of the view ``landed`` into the temporary table ``rated``."""
    columns = ", ".join(BY_NAME[TABLES[service].rated].schema.names)
    partners, endpoints = _named(con, service)
    tariff = read_tariff(con, world, service, partners)
    with steady(con):
        rater = Rater(con, world, service, tariff)
        rater.lay_out(endpoints)
        con.execute(f"create or replace temp table rated as select {columns} from ({rater.query()})")


def _rated(
    lake: Lake, world: World, service: str, found: list[Due], report: RateReport
) -> Iterator[tuple[Due, Staged]]:
    """The days; one thread for each, because joins on several threads keep no order, and several days at once."""
    if not found:
        return
    with ExitStack() as stack:
        con = stack.enter_context(lake.duck(apart=True))
        tariff = read_tariff(con, world, service, {sid for day in found for sid in day.partners})
        stack.enter_context(steady(con))
        free: SimpleQueue[Rater] = SimpleQueue()
        for number in range(min(WORKERS, len(found))):
            own = stack.enter_context(connected(con))
            prepare(own, world)
            free.put(Rater(own, world, service, tariff, number))

        def rate(day: Due) -> _Day:
            rater = free.get()
            try:
                return _rate_day(lake, rater, day)
            finally:
                free.put(rater)

        pool = stack.enter_context(ThreadPoolExecutor(WORKERS))
        for day, made in zip(found, pool.map(rate, found), strict=True):
            report.written += 1
            report.add(made.tallies)
            report.endpoint_unknown += made.endpoint_unknown
            report.numbers_differ += made.numbers_differ
            yield day, made.staged


def _named(con: Duck, service: str) -> tuple[set[str], set[str]]:
    partners = con.execute("select distinct coalesce(partner_sid, '') from landed").fetchall()
    if service == "message":
        return {sid for (sid,) in partners}, set()
    endpoints = con.execute("""
        select endpoint_sid_src from landed where endpoint_sid_src is not null
        union
        select endpoint_sid_dst from landed where endpoint_sid_dst is not null
    """).fetchall()
    return {sid for (sid,) in partners}, {sid for (sid,) in endpoints}


def _remove_empty(
    lake: Lake, ledger: Ledger, service: Service, labels: list[str] | None, now: datetime, report: RateReport
) -> None:
    gone = [(service.rated, label) for label in emptied(lake, service, labels)]
    if gone:
        with ledger.transaction() as tx:
            lake.commit(tx, [], at=now, stage="rate", note=f"{len(gone)} days have no records", remove=gone)
        report.removed += len(gone)


def _rate_day(lake: Lake, rater: Rater, due: Due) -> _Day:
    con, service = rater.con, TABLES[rater.service]
    lake.give_back(con)
    con.execute(
        "create or replace temp view landed as "
        f"select * from read_parquet('{quoted(due.file.path)}', hive_partitioning = false)"
    )
    rater.lay_out(due.endpoints)
    staged = lake.stage_query(con, service.rated, due.file.label, rater.query(), None, due.inputs)
    con.execute(f"create or replace temp view written as select * from read_parquet('{quoted(staged.path)}')")
    _check_complete(con, service, due, staged)
    return _Day(staged, _tallies(con, service), *(_oddities(con) if service.name == "call" else ()))


@contextmanager
def connected(con: Duck) -> Iterator[Duck]:
    """Another connection to the same database, for another thread."""
    with con.cursor() as other:
        other.execute("set timezone = 'UTC'")
        yield other


@contextmanager
def steady(con: Duck) -> Iterator[None]:
    """Days stream through queries in order, the same way whatever is in them.

    The footers of their files are not kept: that would be most of a megabyte for each part of a day.
    """
    con.execute("set threads = 1")
    con.execute("set parquet_metadata_cache = false")
    con.execute(f"set disabled_optimizers = '{_FREE}'")
    yield
    con.execute("reset disabled_optimizers")
    con.execute("set parquet_metadata_cache = true")
    con.execute("set threads = 2")


def _check_complete(con: Duck, service: Service, due: Due, staged: Staged) -> None:
    start = label_day(due.file.label)
    costs, here = con.execute(f"""
        select
            count(*) filter (side = 'cost'),
            count(*) filter (
                date_stop >= timestamptz '{start} 00:00:00+00'
                and date_stop < timestamptz '{start + timedelta(days=1)} 00:00:00+00'
            )
        from written
    """).fetchall()[0]
    if costs != due.file.rows or here != staged.rows:
        msg = (
            f"{service.rated}: {due.file.rows} records landed, {costs} were rated, {here} of {staged.rows} "
            "rows fell on their day. Nothing was committed; run `tollbook verify`."
        )
        raise LakeError(msg)


def _tallies(con: Duck, service: Service) -> list[Tally]:
    rows = con.execute(f"""
        select service, side, level, rating_status, unrated_reason, currency, count(*),
            coalesce(sum({service.usage}), 0)::decimal(38, 3), coalesce(sum(amount), 0)
        from written group by all
    """).fetchall()
    return [Tally(*row) for row in rows]


def _oddities(con: Duck) -> tuple[int, int]:
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
    return unknown, differ


def _warnings(world: World) -> tuple[str, ...]:
    return tuple(
        f"assignments.csv names the plan {sid}, which is not imported: import it, or its customers stay unrated."
        for sid in world.book.unknown_plans()
    )
