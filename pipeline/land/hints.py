"""Which of the provider's hints have come true: their records have landed, by secure id, or as the same message.

That a callback's ``message_sid`` is the ``dr_sid`` of the record is stated nowhere; so a message counts as seen too
when one between the same numbers was inserted within minutes of what the callback says.
"""

from datetime import datetime, timedelta

import polars as pl

from pipeline.domain.cursor import Feed
from pipeline.domain.hint import Hint
from pipeline.domain.numbering import digits
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.ledger import hints

OVERDUE = timedelta(days=1)
_NEAR = timedelta(minutes=5)
_SLACK = timedelta(days=2)


def settle(lake: Lake, feed: Feed, now: datetime) -> list[str]:
    """Marks the hints whose record has landed; returns the ids of those that wait for a day."""
    with lake.ledger.read() as tx:
        if not hints.count(tx):
            return []
        waiting = hints.unseen(tx, feed.resource)
    seen = _landed(lake, feed, waiting) if waiting else set()
    with lake.ledger.transaction() as tx:
        hints.mark_seen(tx, feed.resource, seen, now)
        hints.forget(tx, now)
        return [hint.sid for hint in hints.unseen(tx, feed.resource, now - OVERDUE)]


def _landed(lake: Lake, feed: Feed, waiting: list[Hint]) -> set[str]:
    dated = [hint.said_at for hint in waiting if hint.said_at is not None]
    labels = None
    if len(dated) == len(waiting):
        first, last = (min(dated) - _SLACK).date(), (max(dated) + _SLACK).date()
        held = [file.label for file in lake.files(f"land/{feed.resource}")]
        labels = [label for label in held if first <= label_day(label) <= last]
    records = lake.scan(f"land/{feed.resource}", labels)
    sids = pl.Series([hint.sid for hint in waiting])
    found = set(records.filter(pl.col("dr_sid").is_in(sids.implode())).select("dr_sid").collect()["dr_sid"])
    if feed.sort_key != "date_insert":
        return found
    return found | _alike(records, [hint for hint in waiting if hint.sid not in found])


def _alike(records: pl.LazyFrame, waiting: list[Hint]) -> set[str]:
    """Hints of messages between the same numbers at about the same time."""
    told = [h for h in waiting if h.said_at is not None and h.number_src and h.number_dst]
    if not told:
        return set()
    begin, end = min(h.said_at for h in told if h.said_at), max(h.said_at for h in told if h.said_at)
    near = pl.col("date_insert").is_between(begin - _NEAR, end + _NEAR)
    rows = records.filter(near).select("number_src", "number_dst", "date_insert").collect().rows()
    by_numbers: dict[tuple[str, str], list[datetime]] = {}
    for src, dst, at in rows:
        by_numbers.setdefault((digits(src or "") or "", digits(dst or "") or ""), []).append(at)
    return {
        h.sid
        for h in told
        if h.said_at
        and any(abs(at - h.said_at) <= _NEAR for at in by_numbers.get((h.number_src, h.number_dst), ()))
    }
