"""The asset of the stage measure: the statement that adds up.

What it states is in ``pipeline.measure.statement``. See https://docs.dagster.io/guides/build/assets.
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


ALL = [statement]
