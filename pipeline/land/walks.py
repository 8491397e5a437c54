"""Lands a walk in bounded commits, so that an interrupted one goes on where it stopped and memory stays flat.

A page is decoded as soon as it comes, and then waits on disk. A commit is due behind the end of a day, when there are
enough records to be worth it, so that a day is mostly written once; and at the latest when as many wait as memory is
meant for: where some of them are held already, all of them are read to be compared.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import pyarrow as pa

from pipeline.domain.cursor import Bookmark, Feed, Page
from pipeline.lake.lake import Lake
from pipeline.land.records import Batch, Landed, land_batch

_FEWEST, _MOST = 50_000, 100_000
Edge = tuple[str, datetime]


class Edges(Protocol):
    """The records of a page by secure id and sort value."""

    def __len__(self) -> int: ...
    @property
    def first(self) -> Edge: ...
    @property
    def oldest(self) -> Edge: ...
    @property
    def newest(self) -> Edge: ...
    def newest_until(self, bound: datetime) -> Edge | None: ...


class Walked(Protocol):
    """A page and where the walk stands behind it."""

    @property
    def page(self) -> Page: ...
    @property
    def last_sid(self) -> str: ...
    @property
    def last_value(self) -> datetime: ...
    @property
    def edges(self) -> Edges: ...


@dataclass(slots=True)
class _Stretch:
    """What a commit will say of the walk: its records by page, and where the last page ended."""

    edges: list[Edges] = field(default_factory=list)
    last: Edge | None = None

    def add(self, walked: Walked) -> None:
        if len(walked.edges):
            self.edges.append(walked.edges)
        self.last = (walked.last_sid, walked.last_value)


@dataclass(frozen=True, slots=True)
class Landings:
    """How walks are landed. ``store_private`` keeps message text, media links and user data."""

    lake: Lake
    feed: Feed
    source: str
    now: datetime
    overlap: timedelta
    store_private: bool = False
    progress: Callable[[str], None] = lambda _text: None

    def walk(
        self,
        walk: Iterable[Walked],
        mark: Bookmark,
        total: Landed,
        *,
        backwards: bool = False,
        still: bool = False,
    ) -> Bookmark:
        """Lands every page of a walk, adds to ``total``, and returns the bookmark as committed.

        ``backwards`` moves the far end of history, ``still`` leaves the bookmark where it is.
        """
        move = _still if still else _back if backwards else _forward
        # From the heap that pages come from too: what one of them gives back serves the other.
        pa.set_memory_pool(pa.system_memory_pool())
        with self._batch() as batch:
            stretch, day = _Stretch(), None
            for walked in walk:
                stretch.add(walked)
                batch.add(walked.page)
                passed, day = day not in (None, walked.last_value.date()), walked.last_value.date()
                if batch.fetched >= _MOST or (passed and batch.fetched >= _FEWEST):
                    mark, stretch = move(mark, stretch, self.overlap), _Stretch()
                    total.add(self._land(batch, mark))
                    self.progress(
                        f"{self.feed.resource}: {total.fetched:,} fetched, at {walked.last_value:%Y-%m-%d %H:%M}"
                    )
            if batch.fetched:
                mark = move(mark, stretch, self.overlap)
                total.add(self._land(batch, mark))
        return mark

    def _land(self, batch: Batch, mark: Bookmark) -> Landed:
        """Lands what is held. What it was cut from is given back before."""
        batch.settle()
        _give_back()
        landed = land_batch(self.lake, batch, mark, now=self.now)
        batch.clear()
        _give_back()
        return landed

    @contextmanager
    def _batch(self) -> Iterator[Batch]:
        """What is held until it is landed; however the walk ends, then it holds nothing."""
        batch = Batch(self.feed, self.source, self.store_private)
        try:
            yield batch
        finally:
            batch.clear()


def _give_back() -> None:
    """Gives memory that nothing needs any more back to the system."""
    pa.default_memory_pool().release_unused()


def _still(mark: Bookmark, _stretch: _Stretch, _overlap: timedelta) -> Bookmark:
    return mark


def _back(mark: Bookmark, stretch: _Stretch, _overlap: timedelta) -> Bookmark:
    assert stretch.last is not None
    return mark.with_(oldest_sid=stretch.last[0], oldest_value=stretch.last[1])


def _forward(mark: Bookmark, stretch: _Stretch, overlap: timedelta) -> Bookmark:
    """The bookmark behind these pages; its cursor stays an overlap behind the newest record, and never goes back."""
    if not stretch.edges:
        return mark
    newest = max(page.newest[1] for page in stretch.edges)
    newest = max(newest, mark.newest_value or newest)
    behind = [edge for page in stretch.edges if (edge := page.newest_until(newest - overlap))]
    anchor = max(behind, key=_value, default=None)
    if anchor is None and mark.cursor_sid is None:
        anchor = stretch.edges[0].first
    if anchor is not None and (mark.cursor_value is None or anchor[1] >= mark.cursor_value):
        mark = mark.with_(cursor_sid=anchor[0], cursor_value=anchor[1])
    if mark.oldest_sid is None:
        sid, value = min((page.oldest for page in stretch.edges), key=_value)
        mark = mark.with_(oldest_sid=sid, oldest_value=value)
    return mark.with_(newest_value=newest)


def _value(edge: Edge) -> datetime:
    return edge[1]
