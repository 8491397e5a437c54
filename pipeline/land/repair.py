"""Takes damaged days out of the landed records, so that pulling them again lands them as new."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from pipeline.domain.cursor import Bookmark
from pipeline.lake.care import Fault, set_aside
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.ledger import bookmarks
from pipeline.ledger.schema import landings


def forget_days(
    lake: Lake, resource: str, faults: Sequence[Fault], *, source: str, now: datetime
) -> Bookmark:
    """Sets these files of a feed aside, and counts their records as not landed: the statement goes on adding up.

    In the same step the feed's sweep is put back to before the first of the days. So should this process die before
    they have been pulled again, the next pull does it. Whoever has pulled them puts the bookmark back, which is
    returned. All of them go at once, because nothing can land beside a damaged file.
    """
    rows = -sum(fault.file.rows for fault in faults)
    with lake.ledger.read() as tx:
        mark = bookmarks.read(tx, source, resource)
    first = min(label_day(fault.label) for fault in faults)
    before = datetime.combine(first, time(), UTC) - timedelta(days=1)

    def forget(tx: Connection, commit_id: int) -> None:
        counts = {"fetched": rows, "fresh": rows, "superseding": 0, "identical": 0, "quarantined": 0}
        tx.execute(
            landings.insert(), {"commit_id": commit_id, "source": source, "resource": resource} | counts
        )
        swept_to = min(mark.swept_to or before, before)
        bookmarks.write(tx, source, resource, mark.with_(swept_to=swept_to, swept_at=None), now)

    set_aside(lake, faults, now, forget)
    return mark
