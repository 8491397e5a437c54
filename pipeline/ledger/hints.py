"""Hints that records exist, in the ledger: noted when a callback comes, seen when the pull has landed the record."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from pipeline.domain.hint import Hint
from pipeline.ledger.schema import hints

MOST = 100_000
_KEEP_SEEN, _KEEP_UNSEEN = timedelta(days=7), timedelta(days=30)


def note(tx: Connection, found: Iterable[Hint], at: datetime) -> int:
    """Notes hints that are not known yet, as long as there is room; returns how many were new."""
    room = MOST - count(tx)
    new = 0
    for hint in found:
        where = (hints.c.resource == hint.resource) & (hints.c.sid == hint.sid)
        if new < room and tx.execute(select(hints.c.sid).where(where)).first() is None:
            row = {
                name: getattr(hint, name)
                for name in ("resource", "sid", "number_src", "number_dst", "said_at")
            }
            tx.execute(hints.insert(), row | {"received_at": at})
            new += 1
    return new


def count(tx: Connection) -> int:
    """How many are held."""
    return tx.execute(select(func.count()).select_from(hints)).scalar() or 0


def unseen(tx: Connection, resource: str, before: datetime | None = None) -> list[Hint]:
    """The hints whose record has not landed; those received before an instant, if one is given."""
    query = select(hints).where(hints.c.seen_at.is_(None), hints.c.resource == resource)
    if before is not None:
        query = query.where(hints.c.received_at < before)
    rows = tx.execute(query.order_by(hints.c.received_at, hints.c.sid))
    return [Hint(r.resource, r.sid, r.number_src, r.number_dst, r.said_at) for r in rows]


def mark_seen(tx: Connection, resource: str, sids: Iterable[str], at: datetime) -> None:
    """Says that these records have landed."""
    for sid in sids:
        tx.execute(hints.update().where(hints.c.resource == resource, hints.c.sid == sid).values(seen_at=at))


def forget(tx: Connection, at: datetime) -> None:
    """Deletes what was seen a week ago, or never within a month."""
    tx.execute(hints.delete().where(hints.c.seen_at < at - _KEEP_SEEN))
    tx.execute(hints.delete().where(hints.c.received_at < at - _KEEP_UNSEEN))


def rows(tx: Connection) -> list[dict]:
    """All hints as plain rows, for the copy in the lake."""
    found = tx.execute(select(hints).order_by(hints.c.resource, hints.c.sid))
    return [dict(row) for row in found.mappings()]
