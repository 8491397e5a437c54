"""Billing periods: half-open ``[start, end)`` instants between two anchor days in the customer's own time zone.

A period begins at the first instant of its local day, so its length in hours follows the clock changes. Anchors
29 to 31 clamp to the end of shorter months and come back in longer ones. Only the anchor and the zone decide where a
boundary lies: every period can be found again from them, in any order.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
Moment = TypeVar("Moment", date, datetime)


def in_force(start: Moment | None, end: Moment | None, at: Moment) -> bool:
    """Whether ``at`` lies in the half-open interval; None is open."""
    return (start is None or start <= at) and (end is None or at < end)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """``[start, end)``, aware UTC instants."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def periods(
    customer_zone: str, anchor: int, bill_from: date, as_of: datetime, lookback: timedelta
) -> tuple[Period, ...]:
    """The periods that are due at ``as_of``, oldest first: those with ``end + lookback <= as_of``.

    The first one begins with the local day ``bill_from`` and is shorter where that is not an anchor day.
    """
    due: list[Period] = []
    for period in _from(customer_zone, anchor, bill_from):
        if period.end + lookback > as_of:
            return tuple(due)
        due.append(period)
    raise AssertionError("unreachable")


def period_at(customer_zone: str, anchor: int, bill_from: date | None, instant: datetime) -> Period | None:
    """The period that an instant lies in; None where nothing is billed yet."""
    day = local_day(instant, customer_zone)
    begin = _boundary(day.year, day.month, anchor)
    if begin > day:
        begin = _boundary(*_month_before(day.year, day.month), anchor)
    if bill_from is not None and bill_from > day:
        return None
    return next(_from(customer_zone, anchor, max(begin, bill_from or begin)))


def period_after(period: Period, customer_zone: str, anchor: int) -> Period:
    """The whole period that begins where ``period`` ends."""
    return next(_from(customer_zone, anchor, local_day(period.end, customer_zone)))


def whole_period(period: Period, customer_zone: str, anchor: int) -> Period:
    """The anchor-to-anchor period that ends where ``period`` does: itself, unless ``bill_from`` cut it short."""
    last = last_day(period, customer_zone)
    begin = _boundary(last.year, last.month, anchor)
    if begin > last:
        begin = _boundary(*_month_before(last.year, last.month), anchor)
    return Period(day_start(begin, customer_zone), period.end)


def day_start(day: date, zone: str) -> datetime:
    """The first instant of a local day. Where clocks skip midnight, that is the instant they skip."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The date on the wall when ``instant`` strikes."""
    return instant.astimezone(ZoneInfo(zone)).date()


def last_day(period: Period, zone: str) -> date:
    """The last local day of a period."""
    return local_day(period.end - timedelta(microseconds=1), zone)


def days_of(period: Period, zone: str) -> tuple[date, ...]:
    """Every local day of a period."""
    first, last = local_day(period.start, zone), last_day(period, zone)
    return tuple(first + n * _DAY for n in range((last - first).days + 1))


def _from(zone: str, anchor: int, first: date) -> Iterator[Period]:
    edges = (day_start(day, zone) for day in _edges(anchor, first))
    return (Period(start, end) for start, end in pairwise(edges))


def _edges(anchor: int, first: date) -> Iterator[date]:
    yield first
    year, month = first.year, first.month
    while True:
        edge = _boundary(year, month, anchor)
        if edge > first:
            yield edge
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _boundary(year: int, month: int, anchor: int) -> date:
    return date(year, month, min(anchor, monthrange(year, month)[1]))


def _month_before(year: int, month: int) -> tuple[int, int]:
    return (year, month - 1) if month > 1 else (year - 1, 12)
