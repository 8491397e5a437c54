"""Pulling from other providers than the home's own: what is due, a day at a time, into the same tables.

Their lists go by time, so a bookmark is the instant up to which all was read. Each poll overlaps a little, the daily
sweep re-reads the lookback: a message changes its status after it was made, and identical content changes nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta

from pipeline.desk.room import Progress, Room
from pipeline.domain.cursor import Bookmark, Feed, Page
from pipeline.land.records import Landed, land_pages
from pipeline.ledger import bookmarks
from pipeline.pull.client import check_base
from pipeline.pull.fone import FoneDynamics
from pipeline.pull.sources import Source
from pipeline.settings import Settings

SWEEP_EVERY = timedelta(hours=24)
_STRETCH = timedelta(days=1)
# Records of the last minute may still be written; windows end before it and are whole.
_SETTLED = timedelta(minutes=1)
_MOST = 50_000


def sources(settings: Settings, progress: Progress) -> list[Source]:
    """The other providers that the settings name."""
    found: list[Source] = []
    if (fone := settings.fone) is not None:
        check_base(fone.url, "TOLLBOOK_FONE_URL", "/v2")
        found.append(
            FoneDynamics(fone.url, fone.account_sid, fone.token, dict(fone.properties), on_retry=progress)
        )
    return found


def pull_sources(room: Room, feed: Feed, since: datetime, total: Landed) -> None:
    """Lands what the other providers have of a feed; adds to ``total``.

    Raises:
        ProviderError: one of them fails; what came before it has landed.
    """
    for source in sources(room.settings, room.progress):
        with closing(source):
            if source.feed == feed:
                room.ledger.bind(f"{source.name}_account", source.account)
                _pull(room, source, since, total)


def pull_day(room: Room, feed: Feed, begin: datetime, end: datetime) -> None:
    """Reads a day again that was lost; no bookmark moves."""
    for source in sources(room.settings, room.progress):
        with closing(source):
            if source.feed == feed:
                with room.ledger.read() as tx:
                    mark = bookmarks.read(tx, source.name, feed.resource)
                _land_pages(room, source, source.read(begin, end), mark)


def _pull(room: Room, source: Source, since: datetime, total: Landed) -> None:
    with room.ledger.read() as tx:
        mark = bookmarks.read(tx, source.name, source.feed.resource)
    until = (room.now - _SETTLED).replace(microsecond=0)
    if mark.cursor_value is None:
        mark = mark.with_(oldest_value=since)
    swept = mark.swept_to is None or room.now - mark.swept_to >= SWEEP_EVERY
    for begin, end in _stretches(mark, since, until, room):
        room.progress(f"{source.name} {source.feed.resource}: {begin:%Y-%m-%d %H:%M}")
        mark = _land(room, source, source.read(begin, end), mark, end, total)
    mark = mark.with_(oldest_value=min(since, mark.oldest_value or since))
    with room.ledger.transaction() as tx:
        named = mark.with_(swept_to=room.now) if swept else mark
        bookmarks.write(tx, source.name, source.feed.resource, named, room.now)


def _stretches(
    mark: Bookmark, since: datetime, until: datetime, room: Room
) -> Iterator[tuple[datetime, datetime]]:
    """What is to be read: history that was not asked for before, then from a little before the bookmark on."""
    begin = since
    if mark.cursor_value is not None:
        if mark.oldest_value is not None and since < mark.oldest_value:
            yield from _days(since, mark.oldest_value)
        begin = mark.cursor_value - room.settings.overlap
        if mark.swept_to is None or room.now - mark.swept_to >= SWEEP_EVERY:
            begin = min(begin, (mark.swept_to or mark.cursor_value) - room.settings.lookback)
        begin = max(begin, since)
    yield from _days(begin, until)


def _days(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while begin < end:
        yield begin, min(begin + _STRETCH, end)
        begin += _STRETCH


def _land(
    room: Room, source: Source, pages: Iterator[Page], mark: Bookmark, end: datetime, total: Landed
) -> Bookmark:
    """Lands a stretch in bounded commits; the bookmark moves with the last of them."""
    reached = max(end, mark.cursor_value or end)
    done = mark.with_(cursor_value=reached, newest_value=reached)
    held: list[Page] = []
    for page in pages:
        held.append(page)
        if sum(page.fetched for page in held) >= _MOST:
            total.add(_land_pages(room, source, held, mark))
            held = []
    if held:
        total.add(_land_pages(room, source, held, done))
    return done


def _land_pages(room: Room, source: Source, pages: Iterable[Page], mark: Bookmark) -> Landed:
    return land_pages(
        room.lake,
        source.feed,
        pages,
        mark,
        source=source.name,
        now=room.now,
        store_private=room.settings.store_private,
    )
