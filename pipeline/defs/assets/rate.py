"""The assets of the stage rate: both tables in one pass, one partition per UTC day, any range in one run.

Add here what is rated by day. How a record is rated is in ``pipeline.domain.rating`` and ``sql/rate``. See
https://docs.dagster.io/guides/build/partitions-and-backfills/backfilling-data#backfill-policies.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.partitions import days
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.lake.tables import BY_NAME

_CHARTED_DAYS = 62
_DEPS = {
    "calls": ["calls", "partners", "endpoints", "rates"],
    "messages": ["messages", "partners", "rates"],
}


def _spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["rate", table],
        deps=[dg.AssetKey(["land", dep]) for dep in _DEPS[table]],
        group_name="rate",
        description=f"{BY_NAME[f'rate/{table}'].grain}. A day is rated again only if something it is made of changed.",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
    )


@dg.multi_asset(
    name="rate_days",
    specs=[_spec("calls"), _spec("messages")],
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def rate_days(
    context: dg.AssetExecutionContext, shift: dg.ResourceParam[Shift]
) -> Iterator[dg.MaterializeResult]:
    """Rates the days of this run."""
    wanted = [date.fromisoformat(key) for key in context.partition_keys]
    with shift.step("rate/calls") as desk:
        report = shift.reports["rate/calls"] = desk.rate(wanted)
        shared: dict[str, Any] = {
            "days written": report.written,
            "days unchanged": report.unchanged,
            "revenue": figures.money(report.amounts("charge")),
            "cost": figures.money(report.amounts("cost")),
        }
        charts = {table: _by_day(desk, table, wanted) for table in _DEPS}
    for table, service in (("calls", "call"), ("messages", "message")):
        own: dict[str, Any] = {
            "records rated now": report.records(service=service, side="cost"),
            "unrated": sum(
                t.records for t in report.tallies if t.service == service and t.rating_status == "unrated"
            ),
        }
        yield dg.MaterializeResult(asset_key=["rate", table], metadata=own | shared | charts[table])


ALL = [rate_days]


def _by_day(desk: Desk, table: str, wanted: Sequence[date]) -> dict[str, Any]:
    """Revenue and cost of the newest days of the range."""
    usage = "billed_seconds" if table == "calls" else "billed_units"
    rows = desk.lake.query(
        f"""
        select (date_stop at time zone 'UTC')::date as day, currency,
            coalesce(sum(amount) filter (level = 1), 0) as revenue,
            coalesce(sum(amount) filter (level = 0), 0) as cost,
            coalesce(sum({usage}) filter (level = 1), 0) as usage
        from rate.{table}
        where rating_status = 'rated' and date_stop >= $begin and date_stop < $end + interval 1 day
        group by all order by day
        """,
        {"begin": wanted[max(0, len(wanted) - _CHARTED_DAYS)], "end": wanted[-1]},
    )
    if not rows:
        return {}
    picture = figures.revenue_and_cost(f"{table}: revenue and cost per day", rows)
    what = "billed seconds" if table == "calls" else "billed segments"
    return {what: str(sum(row["usage"] for row in rows)), "revenue and cost": picture}
