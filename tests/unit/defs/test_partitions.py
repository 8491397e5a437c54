"""Which days a run covers, and which month a billing run is filed under."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.defs.partitions import closing_month, range_tags


@pytest.mark.parametrize(
    ("touched", "first", "last"),
    [
        ([date(2026, 3, 5)], "2026-03-05", "2026-03-05"),
        ([date(2026, 3, 9), date(2026, 3, 5)], "2026-03-05", "2026-03-09"),
    ],
    ids=["one day", "days between are left as they are"],
)
def test_a_run_covers_the_first_to_the_last_day(touched: list[date], first: str, last: str) -> None:
    assert range_tags(touched) == {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 4, 3, 6, tzinfo=UTC), "2026-04-01"),
        (datetime(2026, 4, 2, 1, tzinfo=UTC), "2026-04-01"),
        (datetime(2026, 4, 2, 0, 59, tzinfo=UTC), "2026-03-01"),
        (datetime(2027, 1, 1, 12, tzinfo=UTC), "2026-12-01"),
    ],
    ids=["march ends in april", "the first due hour", "an hour before", "new year"],
)
def test_a_billing_run_is_filed_under_the_month_in_which_the_periods_end(now: datetime, month: str) -> None:
    assert closing_month(now, timedelta(hours=25)) == month
