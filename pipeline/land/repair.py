"""Takes a damaged day out of the landed records, so that pulling it again lands it as new."""

from datetime import datetime

from pipeline.lake.care import Fault, set_aside
from pipeline.lake.lake import Lake
from pipeline.ledger.schema import commits, landings


def forget_day(lake: Lake, fault: Fault, *, source: str, now: datetime) -> None:
    """Sets the day's file aside, and counts its records as not landed: the statement goes on adding up."""
    set_aside(lake, [fault], now)
    rows = -fault.file.rows
    resource = fault.table.removeprefix("land/")
    counts = {"fetched": rows, "fresh": rows, "superseding": 0, "identical": 0, "quarantined": 0}
    with lake.ledger.transaction() as tx:
        note = {"at": now, "stage": "verify", "note": f"{resource} {fault.label} is damaged: pulled again"}
        commit_id = tx.execute(commits.insert(), note).inserted_primary_key[0]
        tx.execute(
            landings.insert(), {"commit_id": commit_id, "source": source, "resource": resource} | counts
        )
