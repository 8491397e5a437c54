"""Takes a damaged day out of the landed records, so that pulling it again lands it as new."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from pipeline.lake.care import Fault, set_aside
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.ledger import bookmarks
from pipeline.ledger.schema import landings


def forget_day(lake: Lake, fault: Fault, *, source: str, now: datetime) -> datetime | None:
    """Sets the day's file aside, and counts its records as not landed: the statement goes on adding up.

    In the same step the feed's sweep is put back to before that day. So should this process die before the day has
    been pulled again, the next pull does it. Whoever has pulled it puts the sweep to where it was, which is returned.
    """
    resource, rows = fault.table.removeprefix("land/"), -fault.file.rows
    with lake.ledger.read() as tx:
        mark = bookmarks.read(tx, source, resource)
    before = datetime.combine(label_day(fault.label), time(), UTC) - timedelta(days=1)

    def forget(tx: Connection, commit_id: int) -> None:
        counts = {"fetched": rows, "fresh": rows, "superseding": 0, "identical": 0, "quarantined": 0}
        tx.execute(
            landings.insert(), {"commit_id": commit_id, "source": source, "resource": resource} | counts
        )
        swept_to = min(mark.swept_to or before, before)
        bookmarks.write(tx, source, resource, mark.with_(swept_to=swept_to), now)

    set_aside(lake, [fault], now, forget)
    return mark.swept_to
