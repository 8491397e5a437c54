"""Tells a person about prepaid customers whose credit runs out: once when it is low, once when nothing is left.

What stands is in ``measure.prepaid``, as of the last landing and rating. Nobody is charged or cut off here. See
https://docs.dagster.io/guides/automate/sensors.
"""

import json
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipeline.defs.alerts import tell
from pipeline.defs.resources import DeskResource
from pipeline.domain.money import plain
from pipeline.errors import TollbookError

_SHORT = """
select partner_sid, seller, company_name, currency, available, top_up, advice
from measure.prepaid
where advice <> 'ok'
order by advice desc, available
"""


@dg.sensor(
    name="on_low_credit",
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Tells a person once when a prepaid customer's credit is low, and once when nothing is left.",
)
def on_low_credit(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One message per change for the worse; switch it on together with the schedules."""
    try:
        desk = DeskResource().open()
        short = desk.lake.query(_SHORT)
    except TollbookError as error:
        return dg.SkipReason(str(error))
    known = json.loads(context.cursor or "{}")
    now = {f"{row['partner_sid']} {row['seller']}": row["advice"] for row in short}
    news = [row for row in short if _is_new(row, known)]
    told = []
    if news:
        lines = "\n".join(map(_line, news))
        told = tell(desk.settings, "prepaid credit is running out", lines, datetime.now(UTC), run="credit")
    context.update_cursor(json.dumps(now, sort_keys=True))
    return dg.SkipReason(f"told by {', '.join(told)}" if told else "nothing has become worse")


def _is_new(row: dict[str, Any], known: dict[str, str]) -> bool:
    before = known.get(f"{row['partner_sid']} {row['seller']}")
    return before is None or (before == "low" and row["advice"] == "suspend")


def _line(row: dict[str, Any]) -> str:
    left = f"{row['available']:f} {row['currency']} left"
    wanted = f", top up by {plain(row['top_up'])}" if row["top_up"] is not None else ""
    advice = "nothing is left, consider suspending it" if row["advice"] == "suspend" else "low"
    return f"{row['company_name']} ({row['partner_sid']}): {advice}; {left}{wanted}"
