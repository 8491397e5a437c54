"""Walks a feed of detail records: forward by ``after``, back by ``before``, or over a window by filter and ``after``.

The end of a walk is an empty page. ``has_more``, ``total`` and links are not believed: the samples show them wrong in
both directions. A page that repeats a record or does not move on is an error that names it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.domain.cursor import Bookmark, Feed, Page
from pipeline.errors import NotFoundError, TerminalError
from pipeline.pull.client import Client

log = logging.getLogger("tollbook.pull")
LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Walked:
    """A page, and where the walk stands behind it."""

    page: Page
    last_sid: str
    last_value: datetime


def poll(
    client: Client, feed: Feed, bookmark: Bookmark, since: datetime, overlap: timedelta
) -> Iterator[Walked]:
    """Everything from the bookmark on; from ``since`` on if there is none.

    A cursor that has expired (404) is replaced by a filter that begins ``overlap`` before it.
    """
    if bookmark.cursor_sid is None:
        yield from window(client, feed, since)
        return
    try:
        yield from _after(client, feed, bookmark.cursor_sid)
    except _ExpiredError:
        begin = (bookmark.cursor_value or since) - overlap
        log.warning(
            "%s: the cursor has expired; going on by filter from %s", feed.resource, begin.isoformat()
        )
        yield from window(client, feed, begin)


def window(client: Client, feed: Feed, begin: datetime, end: datetime | None = None) -> Iterator[Walked]:
    """Everything whose sort value is in ``[begin, end)``, by a filter for the first page and ``after`` from there."""
    params = {"limit": LIMIT, "order": f"{feed.sort_key} asc", "filter": f"{feed.sort_key} ge {_text(begin)}"}
    first = _page(client, feed, params)
    if first is None:
        return
    yield first
    if end is not None and first.last_value >= end:
        return
    for walked in _after(client, feed, first.last_sid):
        yield walked
        if end is not None and walked.last_value >= end:
            return


def history(client: Client, feed: Feed, bookmark: Bookmark, since: datetime) -> Iterator[Walked]:
    """Back from the oldest record held to ``since``; ``last_sid`` is then the oldest of the page.

    That ``before`` gives the records next to the cursor is inferred from one sample; each page is checked by asking
    for what follows its newest record, and the walk falls back to ``desc`` and ``after`` where it does not hold.
    """
    sid, value = bookmark.oldest_sid, bookmark.oldest_value
    while sid is not None and value is not None and value > since:
        walked = _adjacent_before(client, feed, sid) or _descending(client, feed, sid)
        if walked is None:
            return
        if walked.last_sid == sid:
            raise TerminalError(
                f"{feed.resource}: the page before {sid} does not move on; the walk was stopped."
            )
        sid, value = walked.last_sid, walked.last_value
        yield replace(walked, page=_not_before(walked.page, feed, since))


class _ExpiredError(Exception):
    """The cursor of the first page is gone."""


def _after(client: Client, feed: Feed, sid: str) -> Iterator[Walked]:
    params = {"limit": LIMIT, "order": f"{feed.sort_key} asc"}
    first, seen = True, set[str]()
    while True:
        try:
            walked = _page(client, feed, params | {"after": sid})
        except NotFoundError:
            if first:
                raise _ExpiredError from None
            raise
        if walked is None:
            return
        sids = _sids(walked.page)
        if walked.last_sid == sid or not seen.isdisjoint(sids):
            msg = f"{feed.resource}: the page after {sid} repeats records or does not move on; the walk was stopped."
            raise TerminalError(msg)
        # One page back is enough: a server that loops repeats its neighbour first.
        first, seen, sid = False, sids, walked.last_sid
        yield walked


def _not_before(page: Page, feed: Feed, since: datetime) -> Page:
    """The page without what is older than was asked for."""
    limit = _text(since)
    return Page([item for item in page.items if str(item.get(feed.sort_key)) >= limit], page.unreadable)


def _adjacent_before(client: Client, feed: Feed, sid: str) -> Walked | None:
    order = f"{feed.sort_key} asc"
    envelope = client.get_page(feed.path, {"limit": LIMIT, "order": order, "before": sid})
    page = _items(envelope)
    if not page.items:
        return None
    newest = page.items[-1]["dr_sid"]
    following = _page(client, feed, {"limit": 1, "order": order, "after": newest})
    if following is None or following.last_sid != sid:
        log.warning("%s: before=%s does not give its neighbours; walking back by desc", feed.resource, sid)
        return None
    return _walked(feed, page, page.items[0])


def _descending(client: Client, feed: Feed, sid: str) -> Walked | None:
    params = {"limit": LIMIT, "order": f"{feed.sort_key} desc", "after": sid}
    envelope = client.get_page(feed.path, params)
    page = _items(envelope)
    return _walked(feed, page, page.items[-1]) if page.items else None


def _page(client: Client, feed: Feed, params: dict[str, Any]) -> Walked | None:
    envelope = client.get_page(feed.path, params)
    page = _items(envelope)
    if not page.fetched:
        return None
    if not page.items:
        msg = f"{feed.resource}: no item of the page after {params.get('after')} can be read; the walk was stopped."
        raise TerminalError(msg)
    return _walked(feed, page, page.items[-1])


def _walked(feed: Feed, page: Page, edge: dict[str, Any]) -> Walked:
    try:
        return Walked(page, edge["dr_sid"], instant(edge[feed.sort_key]))
    except (KeyError, TypeError, ValueError):
        msg = f"{feed.resource}: a page ends with a record without dr_sid or {feed.sort_key}; the walk was stopped."
        raise TerminalError(msg) from None


def _items(envelope: dict[str, Any]) -> Page:
    return Page(envelope["items"], envelope.get("unreadable", ()))


def _sids(page: Page) -> set[str]:
    return {sid for item in page.items if isinstance(sid := item.get("dr_sid"), str)}


def instant(text: str) -> datetime:
    """A timestamp of the provider as an aware datetime."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
