"""When things happen: the traffic curve of the sandbox's days, and its inverse.

Records are numbered in the order of their sort date. The date of record ``i`` is where the curve of cumulated
traffic reaches ``(i + jitter) / n``: it grows with ``i`` by construction, so a date finds its index by
bisection and no table of records is needed. All arithmetic is on integers; times are milliseconds since 1970, UTC.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

HOUR = 3_600_000
DAY = 24 * HOUR

# Share of a day's traffic by UTC hour. The peak is business hours in North America.
_WEEKDAY = (9, 6, 4, 3, 3, 4, 7, 12, 17, 20, 22, 26, 38, 58, 74, 82, 84, 83, 82, 78, 70, 52, 32, 18)
_WEEKEND = (8, 6, 4, 3, 2, 2, 3, 5, 7, 8, 9, 10, 12, 15, 18, 20, 21, 21, 20, 19, 18, 16, 13, 10)
# A day far from flat: Mondays are the busiest, Fridays end early.
_WEEK = (112, 104, 102, 100, 92, 100, 86)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, rounded down."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


class Curve:
    """Spreads records over ``days`` UTC days from ``start``."""

    def __init__(self, start: date, days: int) -> None:
        self.start_ms = to_ms(datetime(start.year, start.month, start.day, tzinfo=UTC))
        self.end_ms = self.start_ms + days * DAY
        self._weights = [w for n in range(days) for w in _hours(start + timedelta(days=n))]
        self._cumulated = [0]
        for weight in self._weights:
            self._cumulated.append(self._cumulated[-1] + weight * HOUR)

    def at(self, index: int, jitter: int, count: int) -> int:
        """The time of record ``index`` of ``count``; ``jitter`` is 16 bits of chance."""
        position = ((index << 16) + jitter) * self._cumulated[-1] // (count << 16)
        hour = bisect_right(self._cumulated, position) - 1
        return self.start_ms + hour * HOUR + (position - self._cumulated[hour]) // self._weights[hour]


def _hours(day: date) -> list[int]:
    shape = _WEEKEND if day.weekday() >= 5 else _WEEKDAY
    return [weight * _WEEK[day.weekday()] for weight in shape]


def first_at_or_after(time_of: Callable[[int], int], count: int, ms: int) -> int:
    """The first index whose time is not before ``ms``; ``count`` when there is none."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if time_of(middle) < ms:
            low = middle + 1
        else:
            high = middle
    return low


class Stamps:
    """Formats milliseconds as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, quickly: days are remembered."""

    def __init__(self) -> None:
        self._days: dict[int, str] = {}
        self._minutes = [f"{m // 60:02d}:{m % 60:02d}:" for m in range(1440)]

    def __call__(self, ms: int) -> str:
        number, rest = divmod(ms, DAY)
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = f"{from_ms(ms):%Y-%m-%dT}"
        minute, rest = divmod(rest, 60_000)
        second, milli = divmod(rest, 1000)
        return f"{day}{self._minutes[minute]}{second:02d}.{milli:03d}Z"


stamp = Stamps()
