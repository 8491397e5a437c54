"""Walks a feed of detail records: forward by ``after``, back by ``before``, or over a window by filter and ``after``.

The end of a walk is an empty page, two times over. ``has_more``, ``count``, ``total``, the limit and links are not
believed: the samples show them wrong in both directions. A walk that comes to a
cursor for the second time, or meets a record again where it was, is an error that names it: never an endless loop.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipeline.domain.cursor import Bookmark, Cut, Feed, Page, Unreadable, instant
from pipeline.errors import NotFoundError, TerminalError
from pipeline.pull.client import Client
from pipeline.pull.edges import Edge, Edges, edges_of, edges_of_cut

log = logging.getLogger("tollbook.pull")
LIMIT = 1000
_RESTARTS = 5
_DOUBTS = 4
_NONE = edges_of(())


@dataclass(frozen=True, slots=True)
class Walked:
    """A page, and where the walk stands behind it: the cursor, and how far its records reach in time.

    ``ordered`` says whether the page was sorted as asked; ``edges`` are its records by secure id and sort value.
    """

    page: Page
    last_sid: str
    last_value: datetime
    ordered: bool = True
    edges: Edges = _NONE


def poll(
    client: Client, feed: Feed, bookmark: Bookmark, since: datetime, overlap: timedelta
) -> Iterator[Walked]:
    """Everything from the bookmark on; from ``since`` on if there is none.

    A cursor that has expired (404) is replaced by a filter that begins ``overlap`` before it.
    """
    if bookmark.cursor_sid is None:
        yield from window(client, feed, since, overlap=overlap)
        return
    yield from _onward(client, feed, bookmark.cursor_sid, bookmark.cursor_value or since, overlap)


def window(
    client: Client,
    feed: Feed,
    begin: datetime,
    end: datetime | None = None,
    overlap: timedelta = timedelta(0),
) -> Iterator[Walked]:
    """Everything whose sort value is in ``[begin, end)``, by a filter for the first page and ``after`` from there."""
    first = _page(client, feed, _from(feed, begin))
    if first is None:
        return
    yield first
    if _reaches(first, end):
        return
    for walked in _onward(client, feed, first.last_sid, first.last_value, overlap):
        yield walked
        if _reaches(walked, end):
            return


def inserted(client: Client, feed: Feed, begin: datetime) -> Iterator[Walked] | None:
    """Everything that the provider inserted from ``begin`` on, in that order; None where it cannot list so.

    Nothing is inserted behind what was inserted before, so this finds a late record however late it is. The clock of
    insertion has seconds: where a page holds one second only, the offset goes on within it.
    """
    try:
        first = _page(client, feed, _inserted_from(begin, 0))
    except TerminalError as error:
        if error.status in (400, 422):
            return None
        raise
    return _by_insertion(client, feed, begin, first)


def _by_insertion(client: Client, feed: Feed, begin: datetime, walked: Walked | None) -> Iterator[Walked]:
    value, offset = begin, 0
    while walked is not None:
        yield walked
        last = max(_instants(walked.page, "date_insert"), default=value)
        offset = offset + walked.page.fetched if last <= value else 0
        value = max(value, last)
        walked = _page(client, feed, _inserted_from(value, offset))


def history(client: Client, feed: Feed, bookmark: Bookmark, since: datetime) -> Iterator[Walked]:
    """Back from the oldest record held to ``since``; ``last_sid`` is then the oldest of the page.

    That ``before`` gives the records next to the cursor is inferred from one sample; each page is checked by asking
    for what follows its newest record, and the walk falls back to ``desc`` and ``after`` where it does not hold.
    """
    sid, value = bookmark.oldest_sid, bookmark.oldest_value
    asked: set[str] = set()
    while sid is not None and value is not None and value > since:
        if sid in asked:
            raise _stuck(feed, sid)
        asked.add(sid)
        page = _adjacent_before(client, feed, sid) or _descending(client, feed, sid, value)
        edges = _edges(page, feed) if page else _NONE
        if page is None or not edges:
            return
        sid, value = edges.oldest
        yield Walked(_not_before(page, feed, since), sid, value)


class _ExpiredError(Exception):
    """A cursor is gone."""


def _onward(client: Client, feed: Feed, sid: str, value: datetime, overlap: timedelta) -> Iterator[Walked]:
    """What follows a cursor; where it has expired, what follows an ``overlap`` before it."""
    restarts, reached = 0, value
    while True:
        try:
            for walked in _after(client, feed, sid, value):
                sid, value = walked.last_sid, walked.last_value
                if value > reached:
                    restarts, reached = 0, value
                yield walked
            return
        except _ExpiredError:
            restarts += 1
            if restarts > _RESTARTS:
                raise _stuck(feed, sid) from None
            begin = value - overlap
            log.warning("%s: cursor %s has expired; going on by filter from %s", feed.resource, sid, begin)
            first = _page(client, feed, _from(feed, begin))
            if first is None:
                return
            yield first
            sid, value = first.last_sid, first.last_value


def _after(client: Client, feed: Feed, sid: str, value: datetime) -> Iterator[Walked]:
    asked: set[str] = set()
    known = _NONE
    while True:
        asked.add(sid)
        try:
            params = {"limit": LIMIT, "order": f"{feed.sort_key} asc", "after": sid}
            walked = _page(client, feed, params, (sid, value))
        except NotFoundError:
            raise _ExpiredError from None
        if walked is None:
            return
        # A record that changed meanwhile may come again at its new place; at its old one it must not.
        if walked.edges.repeats(known):
            raise _stuck(feed, sid)
        yield walked
        if walked.last_sid in asked:
            if walked.edges:
                raise _stuck(feed, sid)
            return
        sid, value, known = walked.last_sid, walked.last_value, walked.edges


def _stuck(feed: Feed, sid: str) -> TerminalError:
    msg = (
        f"{feed.resource}: the page after {sid} repeats records or does not move on; the walk was stopped. "
        "What came before it has landed: run again, and tell the provider if it stays so."
    )
    return TerminalError(msg)


def _reaches(walked: Walked, end: datetime | None) -> bool:
    """Whether nothing before ``end`` can follow; of a page out of order that cannot be said."""
    return end is not None and walked.ordered and walked.last_value >= end


def _from(feed: Feed, begin: datetime) -> dict[str, Any]:
    key = feed.sort_key
    return {"limit": LIMIT, "order": f"{key} asc", "filter": f"{key} ge {_text(begin)}"}


def _inserted_from(begin: datetime, offset: int) -> dict[str, Any]:
    asked = {"limit": LIMIT, "order": "date_insert asc", "filter": f"date_insert ge {_text(begin)}"}
    return asked | ({"offset": offset} if offset else {})


def _not_before(page: Page, feed: Feed, since: datetime) -> Page:
    """The page without what is older than was asked for."""
    limit = _text(since)
    with suppress(ValueError):
        if isinstance(page.items, Cut) and min(page.items.texts(feed.sort_key)) >= limit:
            return page
    return replace(page, items=[item for item in page.items if str(item.get(feed.sort_key)) >= limit])


def _adjacent_before(client: Client, feed: Feed, sid: str) -> Page | None:
    order = f"{feed.sort_key} asc"
    try:
        page = _asked(client, feed, {"limit": LIMIT, "order": order, "before": sid})
    except NotFoundError:
        log.warning("%s: the oldest record, %s, has expired; walking back by filter", feed.resource, sid)
        return None
    edges = _edges(page, feed)
    if not edges:
        return None
    following = _page(client, feed, {"limit": 1, "order": order, "after": edges.last[0]})
    if following is None or following.last_sid != sid:
        log.warning("%s: before=%s does not give its neighbours; walking back by desc", feed.resource, sid)
        return None
    return page


def _descending(client: Client, feed: Feed, sid: str, value: datetime) -> Page | None:
    params = {"limit": LIMIT, "order": f"{feed.sort_key} desc"}
    try:
        page = _asked(client, feed, params | {"after": sid})
    except NotFoundError:
        page = _asked(client, feed, params | {"filter": f"{feed.sort_key} lt {_text(value)}"})
    return page if page.items else None


def _page(client: Client, feed: Feed, params: dict[str, Any], cursor: Edge | None = None) -> Walked | None:
    """The page, or None behind the last one. ``cursor`` is where the walk stays when no record says where it is."""
    page = _asked(client, feed, params)
    if not page.fetched:
        return None
    edges = _edges(page, feed)
    stand = _edge(page.last, feed) or (edges.last if edges else cursor)
    if stand is None or (not edges and page.fetched >= LIMIT):
        at = params.get("after") or params.get("filter")
        msg = f"{feed.resource}: on the page after {at} no record has a readable dr_sid and {feed.sort_key}; stopped."
        raise TerminalError(msg)
    sid, value = stand
    if not edges.ordered and params["order"].startswith(feed.sort_key):
        log.warning("%s: the page that ends with %s is not in order", feed.resource, sid)
    return Walked(page, sid, max(value, edges.newest[1]) if edges else value, edges.ordered, edges)


def _asked(client: Client, feed: Feed, params: dict[str, Any]) -> Page:
    """A page. One that is empty or contradicts its own count is believed when it comes a second time."""
    before = None
    for _ in range(_DOUBTS):
        envelope = client.get_page(feed.path, params)
        page = _items(envelope)
        if page.fetched and envelope.get("count") in (None, page.fetched):
            break
        stand = (page.fetched, page.last or page.items[-1:])
        if stand == before:
            break
        before = stand
    return page


def _items(envelope: dict[str, Any]) -> Page:
    items, unreadable = envelope["items"], envelope.get("unreadable", ())
    if isinstance(items, Cut):
        return Page(items)
    plain = [item for item in items if isinstance(item, dict)]
    other = tuple(
        Unreadable(msgspec.json.encode(item), "not an object") for item in items if not isinstance(item, dict)
    )
    return Page(plain, unreadable + other, envelope.get("last") or (plain[-1] if plain else {}))


def _edges(page: Page, feed: Feed) -> Edges:
    with suppress(ValueError):
        if isinstance(page.items, Cut):
            return edges_of_cut(page.items, feed.sort_key)
    return edges_of([edge for item in page.items if (edge := _edge(item, feed))])


def _edge(item: Mapping[str, Any], feed: Feed) -> Edge | None:
    sid, value = item.get("dr_sid"), item.get(feed.sort_key)
    if not isinstance(sid, str) or not sid or not isinstance(value, str):
        return None
    try:
        return sid, instant(value)
    except ValueError:
        return None


def _instants(page: Page, key: str) -> Iterator[datetime]:
    with suppress(ValueError):
        if isinstance(page.items, Cut):
            yield edges_of_cut(page.items, key).newest[1]
            return
    for item in page.items:
        with suppress(ValueError, TypeError, KeyError):
            yield instant(item[key])


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
