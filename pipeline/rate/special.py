"""The small tables that the engine joins for numbers that were ported and for windows of the day.

What depends on a calendar and a time zone is worked out by the domain, once for every window that the days at hand can
meet; the engine then only joins.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipeline.domain.rate_plan import RatePlan
from pipeline.domain.windows import spans, zone_of
from pipeline.lake.duck import rows_table
from pipeline.rate.choices import LATEST_MS, instant_ms
from pipeline.rate.world import Route

# A call may last a day, and be billed for two more increments of a day than it lasted.
_BEFORE, _AFTER = timedelta(days=1), timedelta(days=2)


def ported(routes: Iterable[Route]) -> pa.Table:
    """The routing number of each number by time."""
    by_number: dict[str, list[Route]] = {}
    for route in routes:
        by_number.setdefault(route.number, []).append(route)
    rows = [
        (number, instant_ms(route.since), end, route.lrn)
        for number, found in by_number.items()
        for route, end in zip(found, [*(instant_ms(r.since) for r in found[1:]), LATEST_MS], strict=True)
    ]
    names = (
        ("number", pa.string()),
        ("from_ms", pa.int64()),
        ("to_ms", pa.int64()),
        ("lrn", pa.string()),
    )
    return rows_table(rows, pa.schema(names))


def window_pieces(
    plans: Iterable[tuple[int, RatePlan]], first_stop: datetime, last_stop: datetime
) -> pa.Table:
    """Gapless time by plan key, each piece with the window that holds, for calls that end between two instants.

    A plan whose time zone is not known has none.
    """
    begin, end = first_stop.astimezone(UTC) - _BEFORE, last_stop.astimezone(UTC) + _AFTER
    rows = [
        (key, instant_ms(start), instant_ms(until), name)
        for key, plan in plans
        if (zone := zone_of(plan.time_zone))
        for start, until, name in spans(plan.windows, zone, begin, end)
    ]
    names = (
        ("plan_key", pa.int32()),
        ("from_ms", pa.int64()),
        ("to_ms", pa.int64()),
        ("window_name", pa.string()),
    )
    return rows_table(rows, pa.schema(names))
