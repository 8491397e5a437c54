"""The signals of fraud: found in the days that a run rates, and told to a person once.

They are looked for beside the rating, not after it: what has landed is enough, and an alarm should not wait for a
plan that is missing. What is looked for is in ``pipeline.measure.signals``, who is told in ``alerts``. See
https://docs.dagster.io/guides/build/assets.
"""

from dataclasses import dataclass
from typing import Any

import dagster as dg

from pipeline.defs import alerts, figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.measure.signals import SignalReport

_SHOWN, _LISTED = 50, 10


@dataclass(frozen=True, slots=True)
class Told:
    """What a run found; ``problems`` are the gravest alarms that somebody was told, ``how`` by which doors."""

    found: SignalReport
    problems: tuple[str, ...]
    how: tuple[str, ...]


def find_and_tell(desk: Desk) -> Told:
    """Looks for signals and tells a person of those that nobody has been told of, all in one message."""
    from pipeline.measure.alarms import message

    found = desk.find_signals()
    news = desk.untold_signals()
    how: list[str] = []
    if news:
        how = alerts.tell(desk.settings, *message(news), desk.now, run="signals")
        desk.signals_told(news, how)
    more = (f"... and {len(news) - _LISTED} more: `tollbook fraud`",) if len(news) > _LISTED else ()
    return Told(found, (*map(str, news[:_LISTED]), *more), tuple(how))


@dg.asset(
    key=["measure", "signals"],
    deps=[dg.AssetKey(["land", "calls"]), dg.AssetKey(["land", "messages"])],
    group_name="measure",
    description="Signals of possible fraud, each with its reason and the records behind it; a person is told once.",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
)
def signals(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """Every day that is out of date."""
    with shift.step("measure/signals") as desk:
        told = find_and_tell(desk)
        shift.report("measure/signals", told, news=told.found.written > 0)
        rows = desk.lake.query(
            f"select day, severity, company_name, kind, reason, records from measure.fraud limit {_SHOWN}"
        )
        shown: dict[str, Any] = {
            "days looked at": told.found.written,
            "days as before": told.found.unchanged,
            "told": ", ".join(told.how) or "nothing is new",
            "newest signals": figures.table(rows, most=_SHOWN),
        }
    return dg.MaterializeResult(metadata=shown)


ALL = [signals]
SIGNALS = signals.key
