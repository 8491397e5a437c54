"""Bookmarks in the ledger: written in the transaction that makes their records visible, never before or after."""

import json
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from pipeline.domain.cursor import Bookmark
from pipeline.ledger.schema import bookmarks


def read(tx: Connection, source: str, resource: str) -> Bookmark:
    """The bookmark of a feed; an empty one before the first landing."""
    row = tx.execute(
        select(bookmarks).where(bookmarks.c.source == source, bookmarks.c.resource == resource)
    ).one_or_none()
    if row is None:
        return Bookmark()
    state = json.loads(row.state)
    return Bookmark(
        cursor_sid=row.cursor_sid,
        cursor_value=row.cursor_value,
        newest_value=_instant(state.get("newest_value")),
        oldest_sid=state.get("oldest_sid"),
        oldest_value=_instant(state.get("oldest_value")),
        swept_to=row.swept_to,
        swept_at=_instant(state.get("swept_at")),
    )


def write(tx: Connection, source: str, resource: str, mark: Bookmark, at: datetime) -> None:
    """Replaces the bookmark of a feed."""
    state = {
        "newest_value": _text(mark.newest_value),
        "oldest_sid": mark.oldest_sid,
        "oldest_value": _text(mark.oldest_value),
        "swept_at": _text(mark.swept_at),
    }
    row = {
        "cursor_sid": mark.cursor_sid,
        "cursor_value": mark.cursor_value,
        "swept_to": mark.swept_to,
        "state": json.dumps(state, sort_keys=True),
        "at": at,
    }
    where = (bookmarks.c.source == source) & (bookmarks.c.resource == resource)
    if tx.execute(bookmarks.update().where(where).values(**row)).rowcount == 0:
        tx.execute(bookmarks.insert(), {"source": source, "resource": resource} | row)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
