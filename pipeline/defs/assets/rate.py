"""The assets of the stage rate: both tables in one pass, one partition per UTC day, any range in one run.

Add here what is rated by day; pictures of it belong to the roll-ups, which add it up. How a record is rated is in
``pipeline.domain.rating`` and ``sql/rate``. See
https://docs.dagster.io/guides/build/partitions-and-backfills/backfilling-data#backfill-policies.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.partitions import days
from pipeline.defs.resources import Shift

_DEPS = {
    "calls": ["calls", "partners", "endpoints", "rates"],
    "messages": ["messages", "partners", "rates"],
}


def _spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["rate", table],
        deps=[dg.AssetKey(["land", dep]) for dep in _DEPS[table]],
        group_name="rate",
        description=figures.about(
            f"rate/{table}", "A day is rated again only if something it is made of changed."
        ),
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
    for table, service in (("calls", "call"), ("messages", "message")):
        own: dict[str, Any] = {
            "records rated now": report.records(service=service, side="cost"),
            "unrated": sum(
                t.records for t in report.tallies if t.service == service and t.rating_status == "unrated"
            ),
        }
        yield dg.MaterializeResult(asset_key=["rate", table], metadata=own | shared)


ALL = [rate_days]
