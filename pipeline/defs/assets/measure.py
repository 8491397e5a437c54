"""The assets of the stage measure: the roll-ups of each day, the statement that adds up, and the dashboard.

The roll-ups have no partitions: which days are out of date they find themselves, and an event for each day of each of
them would take longer to file than the work. What they say is in ``pipeline.measure`` and
``pipeline.render.report``. See https://docs.dagster.io/guides/build/assets.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.measure.rollups import ROLLUPS, Rollup

_KEYS = (
    ["land", "calls"],
    ["land", "messages"],
    ["rate", "calls"],
    ["rate", "messages"],
    ["invoice", "invoices"],
)
_RATED = ("rate/calls", "rate/messages")
_CHARTED_DAYS = 62
_COLUMNS = ("section", "service", "side", "what", "reason", "records", "seconds", "money", "currency")


def _spec(rollup: Rollup) -> dg.AssetSpec:
    return dg.AssetSpec(
        rollup.table.split("/"),
        # What has landed is rolled up when it has been rated: landing has no days of its own.
        deps=[dg.AssetKey(table.split("/")) for table in sorted({*rollup.reads, *_RATED})],
        group_name="measure",
        description=figures.about(rollup.table, "Rolled up where the records of a day have changed."),
        kinds={"arrow", "parquet"},
        owners=OWNERS,
    )


ROLLED = [dg.AssetKey(rollup.table.split("/")) for rollup in ROLLUPS]


@dg.multi_asset(
    name="roll_up",
    specs=[_spec(rollup) for rollup in ROLLUPS],
    can_subset=True,
)
def roll_up(
    context: dg.AssetExecutionContext, shift: dg.ResourceParam[Shift]
) -> Iterator[dg.MaterializeResult]:
    """Every day that is out of date, of the roll-ups that are asked for."""
    asked = {"/".join(key.path) for key in context.selected_asset_keys}
    with shift.step("measure/rollups") as desk:
        report = desk.roll_up(asked)
        shift.report("measure/rollups", report, news=report.written > 0)
        shown = {table: _CHARTS[table](desk) if table in _CHARTS else {} for table in sorted(asked)}
    for table, charts in shown.items():
        written = {"days written": len(report.days.get(table, ())), "rows written": report.rows.get(table, 0)}
        yield dg.MaterializeResult(asset_key=table.split("/"), metadata=written | charts)


@dg.asset(
    key=["measure", "statement"],
    deps=[*map(dg.AssetKey, _KEYS), *ROLLED],
    group_name="measure",
    description="Fetched, landed, rated and unrated, invoiced: in records, seconds and money, with what differs.",
    kinds={"duckdb"},
    owners=OWNERS,
)
def statement(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The statement."""
    with shift.step("measure/statement") as desk:
        made = shift.reports["measure/statement"] = desk.statement()
        lines = [{name: getattr(line, name) for name in _COLUMNS} for line in made.lines]
        return dg.MaterializeResult(
            metadata={
                "differences": len(made.differences),
                "what differs": figures.table([{"difference": str(d)} for d in made.differences]),
                "statement": figures.table(lines, most=200),
            }
        )


@dg.asset(
    key=["measure", "report"],
    deps=[dg.AssetKey(["measure", "statement"]), dg.AssetKey(["measure", "signals"])],
    group_name="measure",
    description="The dashboard of the month: quality, money, customers, destinations, the statement; one HTML page.",
    kinds={"html"},
    owners=OWNERS,
)
def report(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The dashboard."""
    with shift.step("measure/report") as desk:
        if not desk.landed_days():
            return dg.MaterializeResult(metadata={"page": "none: there is no traffic yet"})
        written = desk.report()
        days = written.answers["days"].rows
        calls = [("answered", figures.BLUE, [row["answered"] for row in days])]
        calls.append(("not answered", figures.AMBER, [row["unanswered"] for row in days]))
        return dg.MaterializeResult(
            metadata={
                "page": dg.MetadataValue.path(str(written.path)),
                "month": str(written.month),
                "calls by day": figures.chart("Calls by day", [str(row["day"])[5:] for row in days], calls),
                "money": figures.table(written.answers["money"].rows),
                "forecast": figures.table(written.answers["forecast"].rows),
                "calls at once": figures.table(written.answers["trunks"].rows),
            }
        )


ALL = [roll_up, statement, report]


def _margins(desk: Desk) -> dict[str, Any]:
    """Revenue and cost of the newest days."""
    rows = _days(
        desk, "select day, currency, sum(revenue) as revenue, sum(cost) as cost from measure.traffic"
    )
    return {"revenue and cost": figures.revenue_and_cost("revenue and cost per day", rows)} if rows else {}


def _quality(desk: Desk) -> dict[str, Any]:
    """Answered calls among all, on the newest days."""
    rows = _days(
        desk,
        "select day, sum(answered)::bigint as answered, sum(calls)::bigint as calls from measure.quality",
    )
    if not rows:
        return {}
    series = [
        ("calls", figures.AMBER, [row["calls"] for row in rows]),
        ("answered", figures.BLUE, [row["answered"] for row in rows]),
    ]
    labels = [f"{row['day']:%b %d}" for row in rows]
    tenths = rows[-1]["answered"] * 1000 // rows[-1]["calls"]
    return {
        "quality": figures.chart("calls and answered calls per day", labels, series),
        "ASR of the newest day, %": f"{tenths // 10}.{tenths % 10}",
    }


def _days(desk: Desk, query: str) -> list[dict[str, Any]]:
    newest_first = f"{query} group by all order by day desc limit {_CHARTED_DAYS}"
    return desk.lake.query(f"from ({newest_first}) order by day")


_CHARTS = {"measure/money_days": _margins, "measure/call_hours": _quality}
