"""Billing periods: anchors, time zones, clock changes, the first partial one, and when a period is due."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.domain.period import (
    Period,
    day_start,
    days_of,
    last_day,
    local_day,
    period_after,
    periods,
    whole_period,
)

NEW_YORK, BERLIN, LONDON, SANTIAGO = "America/New_York", "Europe/Berlin", "Europe/London", "America/Santiago"
HAVANA, KOLKATA = "America/Havana", "Asia/Kolkata"
LOOKBACK = timedelta(hours=25)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def edges(zone: str, anchor: int, bill_from: str, as_of: str) -> list[str]:
    found = periods(zone, anchor, date.fromisoformat(bill_from), at(as_of), LOOKBACK)
    return (
        [p.start.strftime("%m-%d %H:%M") for p in found] + [found[-1].end.strftime("%m-%d %H:%M")]
        if found
        else []
    )


# zone, anchor, bill_from, as_of, the edges of the due periods in UTC
TABLE = [
    # whole months, clocks going forward in between
    (NEW_YORK, 1, "2026-03-01", "2026-04-03", ["03-01 05:00", "04-01 04:00"]),
    (BERLIN, 1, "2026-03-01", "2026-04-03", ["02-28 23:00", "03-31 22:00"]),
    (LONDON, 1, "2026-03-01", "2026-04-03", ["03-01 00:00", "03-31 23:00"]),
    # and back
    (NEW_YORK, 1, "2026-11-01", "2026-12-03", ["11-01 04:00", "12-01 05:00"]),
    (BERLIN, 1, "2026-10-01", "2026-11-03", ["09-30 22:00", "10-31 23:00"]),
    # half-hour zones
    (KOLKATA, 1, "2026-03-01", "2026-04-03", ["02-28 18:30", "03-31 18:30"]),
    # anchors within the month
    (LONDON, 15, "2026-01-15", "2026-03-20", ["01-15 00:00", "02-15 00:00", "03-15 00:00"]),
    # a first period cut short by bill_from
    (LONDON, 15, "2026-01-20", "2026-02-20", ["01-20 00:00", "02-15 00:00"]),
    (LONDON, 1, "2026-01-31", "2026-02-20", ["01-31 00:00", "02-01 00:00"]),
    # anchors 29 to 31 clamp and come back
    (LONDON, 29, "2026-01-29", "2026-04-01", ["01-29 00:00", "02-28 00:00", "03-29 00:00"]),
    (LONDON, 30, "2026-01-30", "2026-04-01", ["01-30 00:00", "02-28 00:00", "03-29 23:00"]),
    (LONDON, 31, "2026-01-31", "2026-05-02", ["01-31 00:00", "02-28 00:00", "03-30 23:00", "04-29 23:00"]),
    (LONDON, 31, "2028-01-31", "2028-03-03", ["01-31 00:00", "02-29 00:00"]),
    # over the turn of the year
    (LONDON, 20, "2018-12-20", "2019-01-22", ["12-20 00:00", "01-20 00:00"]),
    # a midnight that does not exist, and one that comes twice
    (SANTIAGO, 6, "2026-09-06", "2026-10-08", ["09-06 04:00", "10-06 03:00"]),
    (HAVANA, 1, "2026-11-01", "2026-12-03", ["11-01 04:00", "12-01 05:00"]),
]


@pytest.mark.parametrize(("zone", "anchor", "bill_from", "as_of", "expected"), TABLE)
def test_periods(zone: str, anchor: int, bill_from: str, as_of: str, expected: list[str]) -> None:
    assert edges(zone, anchor, bill_from, as_of) == expected


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        ("2026-04-02T00:59:59", 0),
        ("2026-04-02T01:00:00", 1),
        ("2026-05-02T00:00:00", 1),
        ("2026-05-02T01:00:00", 2),
    ],
)
def test_a_period_is_due_when_its_end_is_a_lookback_ago(as_of: str, due: int) -> None:
    assert len(periods("UTC", 1, date(2026, 3, 1), at(as_of), LOOKBACK)) == due


def test_the_provider_s_last_half_second_is_inside() -> None:
    (period,) = periods("UTC", 20, date(2018, 12, 20), at("2019-01-22"), LOOKBACK)
    assert at("2019-01-19T23:59:59.500") in period
    assert at("2019-01-20T00:00:00") not in period


def test_a_month_with_a_clock_change_has_an_hour_less() -> None:
    (period,) = periods(NEW_YORK, 1, date(2026, 3, 1), at("2026-04-03"), LOOKBACK)
    assert period.end - period.start == timedelta(days=31) - timedelta(hours=1)
    assert len(days_of(period, NEW_YORK)) == 31
    assert last_day(period, NEW_YORK) == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("anchor", "period", "after", "whole"),
    [
        (1, ("2026-03-01", "2026-04-01"), ("2026-04-01", "2026-05-01"), ("2026-03-01", "2026-04-01")),
        (1, ("2026-03-10", "2026-04-01"), ("2026-04-01", "2026-05-01"), ("2026-03-01", "2026-04-01")),
        (31, ("2026-01-31", "2026-02-28"), ("2026-02-28", "2026-03-31"), ("2026-01-31", "2026-02-28")),
        (31, ("2026-02-28", "2026-03-31"), ("2026-03-31", "2026-04-30"), ("2026-02-28", "2026-03-31")),
        (15, ("2025-12-20", "2026-01-15"), ("2026-01-15", "2026-02-15"), ("2025-12-15", "2026-01-15")),
    ],
)
def test_neighbours(
    anchor: int, period: tuple[str, str], after: tuple[str, str], whole: tuple[str, str]
) -> None:
    this = Period(at(period[0]), at(period[1]))
    assert period_after(this, "UTC", anchor) == Period(at(after[0]), at(after[1]))
    assert whole_period(this, "UTC", anchor) == Period(at(whole[0]), at(whole[1]))


def test_local_days() -> None:
    assert local_day(at("2026-03-08T04:59:59"), NEW_YORK) == date(2026, 3, 7)
    assert day_start(date(2026, 9, 6), SANTIAGO) == at("2026-09-06T04:00:00")
