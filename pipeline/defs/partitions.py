"""The two calendars: UTC days for what is rated, months for what is invoiced.

Add a calendar here and nowhere else: assets that share a run must share the very same one. No accounts as
partitions; those are a column. See https://docs.dagster.io/guides/build/partitions-and-backfills.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import dagster as dg

# One start for all, or a run over a range is split; years before it hold no records.
_START = "2015-01-01"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"

# end_offset: today's records are rated before the day is over, and bills are written before the month is.
days = dg.DailyPartitionsDefinition(start_date=_START, timezone="UTC", end_offset=1)
months = dg.MonthlyPartitionsDefinition(start_date=_START, timezone="UTC", end_offset=1)


def range_tags(touched: Iterable[date]) -> dict[str, str]:
    """The tags of one run over all days from the first to the last of ``touched``."""
    ordered = sorted(touched)
    return {_RANGE_START: ordered[0].isoformat(), _RANGE_END: ordered[-1].isoformat()}


def closing_month(now: datetime, lookback: timedelta) -> str:
    """The month in which the periods end that are due now: a period is due ``lookback`` after its end."""
    return (now - lookback).date().replace(day=1).isoformat()
