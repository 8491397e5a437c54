"""Items that could not be landed: kept once each, with the reason and the bytes, for a person to look at."""

import hashlib
from datetime import datetime

import polars as pl
import pyarrow as pa

from pipeline.lake.lake import Lake, Staged
from pipeline.lake.tables import BY_NAME
from pipeline.land.decode import Rejected

_TABLE = BY_NAME["land/quarantine"]


def stage_rejected(
    lake: Lake, resource: str, source: str, rejected: list[Rejected], now: datetime
) -> list[Staged]:
    """Stages the quarantine of a resource with these items added; nothing where all are known already."""
    if not rejected:
        return []
    held = lake.scan(_TABLE.name, [resource]).collect()
    known = set(held["item_hash"].to_list())
    rows = {}
    for item in rejected:
        digest = hashlib.sha256(item.raw).hexdigest()
        if digest not in known:
            rows[digest] = {
                "source": source,
                "resource": resource,
                "item_hash": digest,
                "dr_sid": item.dr_sid,
                "reason": item.reason,
                "raw": item.raw,
                "first_seen": now,
            }
    if not rows:
        return []
    added = pl.DataFrame(pa.Table.from_pylist(list(rows.values()), schema=_TABLE.schema))
    return [lake.stage(_TABLE.name, resource, pl.concat([held, added]))]
