"""The assets of the stage land: detail records by cursor, lists as they stand.

Add an asset here when a new resource of the provider is landed. How it is fetched and landed is in ``pipeline.pull``
and ``pipeline.land``; what to press is in ``pipeline.desk``. See https://docs.dagster.io/guides/build/assets.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.desk.dimensions import DIMENSIONS
from pipeline.domain.cursor import FEEDS, Feed
from pipeline.lake.tables import BY_NAME
from pipeline.land.snapshots import SNAPSHOTS, SnapshotLanded

OWNERS = ["team:billing"]
_CHARTED_DAYS = 3


def feed_asset(feed: Feed) -> dg.AssetsDefinition:
    """One kind of detail record."""
    name = f"land/{feed.resource}"

    @dg.asset(
        key=name.split("/"),
        group_name="land",
        description=f"{BY_NAME[name].grain}. Pulled from the bookmark on; the daily sweep re-reads the lookback.",
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def _asset(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
        with shift.step(name) as desk:
            landed = shift.reports[name] = desk.pull_feed(feed)
            mark = desk.bookmark(feed)
            found: dict[str, Any] = {
                "dagster/row_count": sum(f.rows for f in desk.lake.files(name)),
                "fetched": landed.fetched,
                "new": landed.fresh,
                "superseding": landed.superseding,
                "identical": landed.identical,
                "quarantined": landed.quarantined,
                "days": len(landed.days),
                "longest lag": str(landed.slowest),
                "inserted late": landed.late,
                "bookmark": f"{mark.newest_value:%Y-%m-%d %H:%M:%S} UTC" if mark.newest_value else "none",
            }
            if landed.warning:
                found["warning"] = landed.warning
            if landed.days:
                found["records per hour"] = _by_hour(desk, feed, landed.days)
            return dg.MaterializeResult(metadata=found)

    return _asset


def snapshot_asset(resource: str) -> dg.AssetsDefinition:
    """One list of the provider."""
    name = f"land/{resource}"

    @dg.asset(
        key=name.split("/"),
        group_name="land",
        description=f"{BY_NAME[name].grain}. Taken whole; history is kept by content.",
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def _asset(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
        with shift.step(name) as desk:
            landed = shift.reports[name] = desk.pull_snapshot(resource)
            return dg.MaterializeResult(metadata=_changes(landed))

    return _asset


@dg.asset(
    key=["land", "rates"],
    group_name="land",
    description=f"{BY_NAME['land/rates'].grain}. The provider's plans, every version that was ever seen.",
    kinds={"python", "parquet"},
    owners=OWNERS,
)
def rates(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The provider's rate plans."""
    with shift.step("land/rates") as desk:
        plans = shift.reports["land/rates"] = desk.pull_rates()
        shown = [{"plan": p.plan, "version": p.version, "rates": p.rows, "new": p.new} for p in plans]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(p.rows for p in plans),
                "plans": len(plans),
                "new versions": sum(p.new for p in plans),
                "versions": figures.table(shown),
            }
        )


def dimension_asset(resource: str) -> dg.AssetsDefinition:
    """One resource that explains records and bills none; daily, in a job of its own."""
    name = f"land/{resource}"

    @dg.asset(
        key=name.split("/"),
        group_name="land",
        description=f"{BY_NAME[name].grain}. Taken whole; history is kept by content. Nothing is billed by it.",
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def _asset(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
        with shift.step(name) as desk:
            found = shift.reports[name] = desk.pull_dimension(resource)
            landed = found.landed
            if landed is None:
                return dg.MaterializeResult(metadata={"dagster/row_count": 0, "not taken": found.reason})
            return dg.MaterializeResult(metadata=_changes(landed))

    return _asset


RECORDS = [*map(feed_asset, FEEDS), *(snapshot_asset(s.resource) for s in SNAPSHOTS), rates]
AROUND = [dimension_asset(resource) for resource in DIMENSIONS]
ALL = [*RECORDS, *AROUND]


def _changes(landed: SnapshotLanded) -> dict[str, int]:
    return {
        "dagster/row_count": landed.rows,
        "new": landed.new,
        "gone": landed.gone,
        "quarantined": landed.quarantined,
    }


def _by_hour(desk: Desk, feed: Feed, days: Iterable[date]) -> dg.MarkdownMetadataValue:
    """The hours of the newest days that the pull has touched."""
    shown = sorted(days)[-_CHARTED_DAYS:]
    rows = desk.lake.query(
        f"""
        select date_trunc('hour', {feed.sort_key}) as hour, count(*) as records
        from land.{feed.resource}
        where list_contains($days, ({feed.sort_key} at time zone 'UTC')::date)
        group by all order by all
        """,
        {"days": shown},
    )
    labels = [f"{row['hour']:%d %H:%M}" for row in rows]
    title = f"{feed.resource} per hour, {shown[0]} to {shown[-1]} (UTC)"
    return figures.chart(title, labels, [("records", figures.BLUE, [row["records"] for row in rows])])
