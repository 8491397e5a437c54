"""The assets of the stage measure: the statement that adds up, and the dashboard.

What they say is in ``pipeline.measure.statement`` and ``pipeline.render.report``. See https://docs.dagster.io/guides/build/assets.
"""

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.resources import Shift

_KEYS = (
    ["land", "calls"],
    ["land", "messages"],
    ["rate", "calls"],
    ["rate", "messages"],
    ["invoice", "invoices"],
)
_COLUMNS = ("section", "service", "side", "what", "reason", "records", "seconds", "money", "currency")


@dg.asset(
    key=["measure", "statement"],
    deps=[dg.AssetKey(key) for key in _KEYS],
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
    deps=[dg.AssetKey(["measure", "statement"])],
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
            }
        )


ALL = [statement, report]
