"""Lands a walk in bounded commits, so that an interrupted one goes on where it stopped and memory stays flat."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipeline.domain.cursor import Bookmark, Feed, Page
from pipeline.lake.lake import Lake
from pipeline.land.records import Landed, land_pages


class Walked(Protocol):
    """A page and where the walk stands behind it."""

    @property
    def page(self) -> Page: ...
    @property
    def last_sid(self) -> str: ...
    @property
    def last_value(self) -> datetime: ...


def land_walk(
    lake: Lake,
    feed: Feed,
    walk: Iterable[Walked],
    mark: Bookmark,
    total: Landed,
    *,
    source: str,
    now: datetime,
    overlap: timedelta,
    pages_per_commit: int,
    backwards: bool = False,
    still: bool = False,
    progress: Callable[[str], None],
) -> Bookmark:
    """Lands every page of a walk, adds to ``total``, and returns the bookmark as committed.

    ``backwards`` moves the far end of history, ``still`` leaves the bookmark where it is.
    """
    move = _still if still else _back if backwards else _forward
    held: list[Walked] = []
    for walked in walk:
        held.append(walked)
        if len(held) >= pages_per_commit:
            mark = move(mark, held, feed, overlap)
            total.add(land_pages(lake, feed, [w.page for w in held], mark, source=source, now=now))
            held = []
            progress(f"{feed.resource}: {total.fetched:,} fetched, at {walked.last_value:%Y-%m-%d %H:%M}")
    if held:
        mark = move(mark, held, feed, overlap)
        total.add(land_pages(lake, feed, [w.page for w in held], mark, source=source, now=now))
    return mark


def _still(mark: Bookmark, _held: list[Walked], _feed: Feed, _overlap: timedelta) -> Bookmark:
    return mark


def _back(mark: Bookmark, held: list[Walked], _feed: Feed, _overlap: timedelta) -> Bookmark:
    return mark.with_(oldest_sid=held[-1].last_sid, oldest_value=held[-1].last_value)


def _forward(mark: Bookmark, held: list[Walked], feed: Feed, overlap: timedelta) -> Bookmark:
    """The bookmark behind these pages; its cursor stays an overlap behind the newest record."""
    newest = max(held[-1].last_value, mark.newest_value or held[-1].last_value)
    anchor = _anchor(held, feed, newest - overlap)
    if anchor is None and mark.cursor_sid is None:
        anchor = _edge(held[0].page.items[0], feed)
    if anchor is not None and (mark.cursor_value is None or anchor[1] >= mark.cursor_value):
        mark = mark.with_(cursor_sid=anchor[0], cursor_value=anchor[1])
    if mark.oldest_sid is None:
        sid, value = _edge(held[0].page.items[0], feed)
        mark = mark.with_(oldest_sid=sid, oldest_value=value)
    return mark.with_(newest_value=newest)


def _anchor(held: list[Walked], feed: Feed, limit: datetime) -> tuple[str, datetime] | None:
    for walked in reversed(held):
        for item in reversed(walked.page.items):
            try:
                sid, value = _edge(item, feed)
            except (KeyError, TypeError, ValueError):
                continue
            if value <= limit:
                return sid, value
    return None


def _edge(item: dict, feed: Feed) -> tuple[str, datetime]:
    at = datetime.fromisoformat(item[feed.sort_key])
    return item["dr_sid"], at if at.tzinfo else at.replace(tzinfo=UTC)
