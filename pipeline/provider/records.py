"""What calls and messages have in common: numbered in the order of their sort date, seen once inserted.

``Feed`` is the seam between the world that invents records and the lists that serve them: a list needs the time, the
moment of insertion and the content of record ``i``, and the way between ``i`` and its secure id.
"""

from collections.abc import Iterator
from typing import Protocol

from pipeline.provider.traffic import first_at_or_after


class Codec(Protocol):
    """The way between the number of a record and its secure id."""

    def encode(self, index: int) -> str: ...
    def decode(self, sid: str) -> int | None: ...


class Feed(Protocol):
    """Records ``0 .. count - 1``; times are milliseconds since 1970."""

    sort_key: str
    count: int

    @property
    def codec(self) -> Codec:
        """The ids of its records."""
        ...

    @property
    def longest_lag(self) -> int:
        """No record is inserted more milliseconds than this after its sort date."""
        ...

    def time(self, index: int) -> int:
        """The sort date; never decreases with ``index``."""
        ...

    def inserted(self, index: int) -> int:
        """When the provider inserts the record."""
        ...

    def record(self, index: int, now: int) -> dict:
        """The record as the provider tells it at ``now``."""
        ...


class Window:
    """The records of a feed that can be seen at ``now``, between two indexes."""

    def __init__(self, feed: Feed, now: int, low: int = 0, high: int | None = None) -> None:
        self.feed = feed
        self.now = now
        # What has not ended cannot have been inserted.
        end = first_at_or_after(feed.time, feed.count, now + 1)
        self.low = max(0, low)
        self.high = min(end, feed.count if high is None else high)
        # Below this index every record has been inserted; above it each must be asked.
        self._settled = first_at_or_after(feed.time, feed.count, now - feed.longest_lag)

    def narrowed(self, low: int, high: int) -> "Window":
        """The part of this window between two indexes."""
        return Window(self.feed, self.now, max(low, self.low), min(high, self.high))

    def has(self, index: int) -> bool:
        """Whether record ``index`` can be seen."""
        return self.low <= index < self.high and (
            index < self._settled or self.feed.inserted(index) <= self.now
        )

    def ascending(self, skip: int = 0) -> Iterator[int]:
        """Indexes upwards; ``skip`` of them are passed over, the settled ones at once."""
        jump = max(0, min(skip, self._settled - self.low))
        left = skip - jump
        for index in range(self.low + jump, self.high):
            if self.has(index):
                if left:
                    left -= 1
                else:
                    yield index

    def descending(self, skip: int = 0) -> Iterator[int]:
        """Indexes downwards; ``skip`` of them are passed over."""
        left = skip
        index = self.high - 1
        while index >= self.low:
            if index < self._settled and left:
                index, left = index - left, 0
                continue
            if self.has(index):
                if not left:
                    yield index
                left = max(0, left - 1)
            index -= 1

    def count(self) -> int:
        """How many records can be seen."""
        settled = max(0, min(self._settled, self.high) - self.low)
        return settled + sum(map(self.has, range(max(self.low, self._settled), self.high)))
