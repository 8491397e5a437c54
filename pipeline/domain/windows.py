"""Time windows of a plan: the hours, weekdays and holidays at which its rows with that window's name hold.

A window is said in local wall-clock time of the plan's time zone, so that "peak" begins at eight in summer and in
winter. On the night when clocks go back, the hour that comes twice is in its windows twice; the hour that is left out
in spring is in none. The windows of a plan are tried in order and the first that holds decides, so holidays come first.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MIDNIGHT = time()
_A_DAY = timedelta(days=1)
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One span of a day; several spans may share a ``name``.

    It holds on its ISO ``weekdays`` (1 is Monday) and on its ``holidays``, whatever their weekday; with neither, every
    day. From ``begin`` to before ``end``; an ``end`` that is not later lies on the next day, and the hours after
    midnight belong to the day on which the window began.
    """

    name: str
    weekdays: tuple[int, ...] = ()
    begin: time = MIDNIGHT
    end: time = MIDNIGHT
    holidays: tuple[date, ...] = ()

    def holds(self, local: datetime) -> bool:
        """Whether it holds at a wall-clock time."""
        clock = local.time()
        if self.begin < self.end:
            return self.begin <= clock < self.end and self._on(local.date())
        if clock >= self.begin:
            return self._on(local.date())
        return clock < self.end and self._on(local.date() - _A_DAY)

    def _on(self, day: date) -> bool:
        if not self.weekdays and not self.holidays:
            return True
        return day in self.holidays or day.isoweekday() in self.weekdays


def window_at(windows: Iterable[Window], zone: ZoneInfo, at: datetime) -> str:
    """The name of the window that holds at an instant, or "" where none does."""
    local = at.astimezone(zone).replace(tzinfo=None)
    return next((w.name for w in windows if w.holds(local)), "")


def spans(
    windows: Sequence[Window], zone: ZoneInfo, begin: datetime, end: datetime
) -> list[tuple[datetime, datetime, str]]:
    """Time from ``begin`` to ``end``, gapless, cut where another window begins to hold."""
    if not windows:
        return [(begin, end, "")]
    cuts = {begin, *(at for at in _turns(windows, zone, begin, end) if begin < at < end)}
    made: list[tuple[datetime, datetime, str]] = []
    for at in sorted(cuts):
        name = window_at(windows, zone, at)
        if not made or made[-1][2] != name:
            made.append((at, end, name))
    starts = [at for at, _, _ in made]
    return [(at, until, name) for (at, _, name), until in zip(made, [*starts[1:], end], strict=True)]


def _turns(windows: Sequence[Window], zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Every instant at which the answer can change: a clock reads a window's edge, or is put forward or back."""
    clocks = {MIDNIGHT, *(t for w in windows for t in (w.begin, w.end))}
    day, last = begin.astimezone(zone).date() - _A_DAY, end.astimezone(zone).date() + _A_DAY
    while day <= last:
        for clock in clocks:
            for fold in (0, 1):
                yield datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC)
        day += _A_DAY
    hour = begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        later = hour + _AN_HOUR
        if hour.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            yield _change(zone, hour, later)
        hour = later


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the zone's offset changes."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def zone_of(name: str) -> ZoneInfo | None:
    """The IANA time zone of that name, or None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def windows_text(windows: Iterable[Window]) -> str | None:
    """Windows as JSON text, as ``rate.plans`` keeps them; None where there are none."""
    rows = [
        {
            "name": w.name,
            "weekdays": list(w.weekdays),
            "from": w.begin.isoformat(),
            "to": w.end.isoformat(),
            "holidays": [d.isoformat() for d in w.holidays],
        }
        for w in windows
    ]
    return json.dumps(rows) if rows else None


def windows_of(text: str | None) -> tuple[Window, ...]:
    """Windows from their JSON text."""
    return tuple(
        Window(
            row["name"],
            tuple(row["weekdays"]),
            time.fromisoformat(row["from"]),
            time.fromisoformat(row["to"]),
            tuple(date.fromisoformat(d) for d in row["holidays"]),
        )
        for row in json.loads(text or "[]")
    )
