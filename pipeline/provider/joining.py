"""Two feeds as one: invented records among the ordinary ones, all in the order of their sort date.

The ordinary records stay as they are, to the byte; only their places move.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pipeline.provider.records import Feed
from pipeline.provider.traffic import first_at_or_after

_INSERTED_AFTER = 4000


@dataclass(frozen=True, slots=True)
class Extra:
    """A record beside the feed: what it is told as, its sort date in milliseconds, and why it is there."""

    at: int
    why: str
    record: dict[str, Any]


class Joined:
    """``base`` with ``extras``; a ``records.Feed``."""

    def __init__(self, base: Feed, extras: Sequence[Extra]) -> None:
        self.base = base
        self.sort_key = base.sort_key
        self.count = base.count + len(extras)
        self.codec = self
        self.extras = tuple(sorted(extras, key=attrgetter("at")))
        before = (first_at_or_after(base.time, base.count, extra.at) for extra in self.extras)
        self._places = [place + number for number, place in enumerate(before)]

    @property
    def longest_lag(self) -> int:
        """As long as that of the base, which is longer than ours."""
        return max(self.base.longest_lag, _INSERTED_AFTER)

    def time(self, index: int) -> int:
        """The sort date."""
        number, extra = self._split(index)
        return extra.at if extra else self.base.time(number)

    def inserted(self, index: int) -> int:
        """When the record is inserted; of messages that is the sort date."""
        number, extra = self._split(index)
        if extra is None:
            return self.base.inserted(number)
        return extra.at + (_INSERTED_AFTER if self.base.longest_lag else 0)

    def record(self, index: int, now: int) -> dict[str, Any]:
        """The record as it is told at ``now``."""
        number, extra = self._split(index)
        return extra.record | {"dr_sid": self.encode(index)} if extra else self.base.record(number, now)

    def encode(self, index: int) -> str:
        """The secure id of a record."""
        number, extra = self._split(index)
        return self.base.codec.encode(self.base.count + number if extra else number)

    def decode(self, sid: str) -> int | None:
        """The place of a record, or None when the id is not one of ours."""
        found = self.base.codec.decode(sid)
        if found is None or found >= self.count:
            return None
        if found >= self.base.count:
            return self._places[found - self.base.count]
        # Every extra record before it moves it one place on.
        low, high = 0, len(self._places)
        while low < high:
            middle = (low + high) // 2
            if self._places[middle] - middle <= found:
                low = middle + 1
            else:
                high = middle
        return found + low

    def named(self) -> dict[str, list[str]]:
        """The secure ids of the extra records by why they are there."""
        found: dict[str, list[str]] = {}
        for number, extra in enumerate(self.extras):
            found.setdefault(extra.why, []).append(self.base.codec.encode(self.base.count + number))
        return found

    def _split(self, index: int) -> tuple[int, Extra | None]:
        """The number among the extra records and that record, or the index in the base and None."""
        number = bisect_right(self._places, index) - 1
        if number >= 0 and self._places[number] == index:
            return number, self.extras[number]
        return index - number - 1, None
