"""The assets of the stage land: detail records by cursor, lists as they stand.

Add an asset here when a new resource of the provider is landed. How it is fetched and landed is in ``pipeline.pull``
and ``pipeline.land``; what to press is in ``pipeline.desk``. See https://docs.dagster.io/guides/build/assets.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.desk.dimensions import DIMENSIONS, DimensionLanded
from pipeline.domain.cursor import FEEDS, Feed
from pipeline.land.rates import PlanLanded
from pipeline.land.records import Landed
from pipeline.land.snapshots import SNAPSHOTS, SnapshotLanded

Figures = dict[str, Any]
Work = Callable[[Desk], tuple[Any, Figures]]
OWNERS = ["team:billing"]
_CHARTED_DAYS = 3


def land_asset(resource: str, how: str, work: Work) -> dg.AssetsDefinition:
    """One table of the stage. ``work`` fills it; it returns what the run reports, and the figures to show."""
    name = f"land/{resource}"

    @dg.asset(
        key=name.split("/"),
        group_name="land",
        description=figures.about(name, how),
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def _asset(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
        with shift.step(name) as desk:
            shift.reports[name], shown = work(desk)
            return dg.MaterializeResult(metadata=shown)

    return _asset


def _feed(feed: Feed, desk: Desk) -> tuple[Landed, Figures]:
    """One kind of detail record."""
    landed = desk.pull_feed(feed)
    mark = desk.bookmark(feed)
    shown: Figures = {
        "dagster/row_count": sum(f.rows for f in desk.lake.files(f"land/{feed.resource}")),
        "fetched": landed.fetched,
        "new": landed.fresh,
        "superseding": landed.superseding,
        "identical": landed.identical,
        "quarantined": landed.quarantined,
        "days": len(landed.days),
        "longest lag": landed.lag,
        "inserted late": landed.late,
        "bookmark": f"{mark.newest_value:%Y-%m-%d %H:%M:%S} UTC" if mark.newest_value else "none",
    }
    if landed.warning:
        shown["warning"] = landed.warning
    if landed.days:
        shown["records per hour"] = _by_hour(desk, feed, landed.days)
    return landed, shown


def _snapshot(resource: str, desk: Desk) -> tuple[SnapshotLanded, Figures]:
    """One list of the provider."""
    landed = desk.pull_snapshot(resource)
    return landed, _changes(landed)


def _rates(desk: Desk) -> tuple[list[PlanLanded], Figures]:
    """The provider's rate plans."""
    plans = desk.pull_rates()
    versions = [{"plan": p.plan, "version": p.version, "rates": p.rows, "new": p.new} for p in plans]
    return plans, {
        "dagster/row_count": sum(p.rows for p in plans),
        "plans": len(plans),
        "new versions": sum(p.new for p in plans),
        "versions": figures.table(versions),
    }


def _dimension(resource: str, desk: Desk) -> tuple[DimensionLanded, Figures]:
    """One resource that explains records and bills none; daily, in a job of its own."""
    found = desk.pull_dimension(resource)
    if found.landed is None:
        return found, {"dagster/row_count": 0, "not taken": found.reason}
    return found, _changes(found.landed)


_WHOLE = "Taken whole; history is kept by content."
_CURSOR = "Pulled from the bookmark on; the daily sweep re-reads the lookback."
RECORDS = [
    *(land_asset(feed.resource, _CURSOR, partial(_feed, feed)) for feed in FEEDS),
    *(land_asset(s.resource, _WHOLE, partial(_snapshot, s.resource)) for s in SNAPSHOTS),
    land_asset("rates", "The provider's plans, every version that was ever seen.", _rates),
]
AROUND = [
    land_asset(resource, f"{_WHOLE} Nothing is billed by it.", partial(_dimension, resource))
    for resource in DIMENSIONS
]
ALL = [*RECORDS, *AROUND]


def _changes(landed: SnapshotLanded) -> Figures:
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
