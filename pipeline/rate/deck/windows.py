"""Time windows of a plan as people write them: ``peak mon-fri 08:00-20:00; holiday 2026-12-25 2027-01-01``.

A name first, then in any order weekdays, one span of the day, and holidays; what is left out holds always.
"""

import re
from collections.abc import Iterable
from datetime import date, time

from pipeline.domain.windows import MIDNIGHT, Window

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)-([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")


def windows_said(text: str) -> tuple[Window, ...]:
    """Windows from their text.

    Raises:
        ValueError: a part of it is not understood.
    """
    return tuple(_window(part.split()) for part in text.split(";") if part.strip())


def windows_in_words(windows: Iterable[Window]) -> str:
    """The text of windows."""
    return "; ".join(" ".join(_words(window)) for window in windows)


def _window(words: list[str]) -> Window:
    if not _NAME.match(words[0]):
        msg = f"window {words[0]!r}: begin with a name of letters, digits, '-' and '_'"
        raise ValueError(msg)
    weekdays: set[int] = set()
    holidays: list[date] = []
    begin = end = MIDNIGHT
    for word in words[1:]:
        if span := _SPAN.match(word):
            begin, end = _clock(span[1]), _clock(span[2])
        elif re.match("[0-9]{4}-", word):
            holidays.append(date.fromisoformat(word))
        else:
            weekdays |= _weekdays(word)
    return Window(words[0], tuple(sorted(weekdays)), begin, end, tuple(sorted(holidays)))


def _clock(text: str) -> time:
    """``24:00`` is midnight at the end of the day."""
    return MIDNIGHT if text in ("24:00", "24:00:00") else time.fromisoformat(text.zfill(5))


def _weekdays(word: str) -> set[int]:
    found: set[int] = set()
    for part in word.lower().split(","):
        first, _, last = part.partition("-")
        try:
            start, stop = _DAYS.index(first[:3]), _DAYS.index((last or first)[:3])
        except ValueError:
            msg = f"{word!r} is no weekday such as mon-fri, no span such as 08:00-20:00 and no date"
            raise ValueError(msg) from None
        found |= {(start + n) % 7 + 1 for n in range((stop - start) % 7 + 1)}
    return found


def _words(window: Window) -> list[str]:
    days = [",".join(_DAYS[n - 1] for n in window.weekdays)] if window.weekdays else []
    whole = window.begin == window.end == MIDNIGHT
    span = [] if whole else [f"{window.begin.isoformat()}-{window.end.isoformat()}"]
    return [window.name, *days, *span, *(day.isoformat() for day in window.holidays)]
