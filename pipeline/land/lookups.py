"""The number lookups that were paid for: kept for good, and asked first."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME

_TABLE = BY_NAME["land/lookups"]
_LABEL = "all"
_SMALL = 2**31


def known_lookups(
    lake: Lake, numbers: Iterable[str], details: Iterable[str], since: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """By number, the newest lookup that answers all of ``details``; those before ``since`` do not count."""
    rows = lake.scan(_TABLE.name).filter(pl.col("phonenumber").is_in(list(numbers))).sort("looked_up_at")
    wanted = set(details)
    return {
        row["phonenumber"]: row
        for row in rows.collect().to_dicts()
        if wanted <= set(row["details"].split(",")) and (since is None or row["looked_up_at"] >= since)
    }


def lookup_row(
    number: str,
    status: str,
    answer: Mapping[str, Any],
    details: Iterable[str],
    now: datetime,
    partner_sid: str | None = None,
) -> dict[str, Any]:
    """One row of ``land.lookups``, made for a customer or for ourselves; only what was asked for is taken."""
    asked = sorted(details)
    inside = _object(answer.get("details"))
    carrier = _object(inside.get("carrier")) if "carrier" in asked else {}
    cnam = _object(inside.get("cnam")) if "cnam" in asked else {}
    return {
        "phonenumber": number,
        "looked_up_at": now,
        "status": status,
        "partner_sid": partner_sid,
        "details": ",".join(asked),
        "country_code": _text(answer.get("country_code")),
        "state": _text(answer.get("state")),
        "lrn": _text(inside.get("lrn")) if "lrn" in asked else None,
        "carrier_name": _text(carrier.get("name")),
        "carrier_type": _text(carrier.get("type")),
        "mcc": _whole(carrier.get("mcc")),
        "mnc": _whole(carrier.get("mnc")),
        "cnam_name": _text(cnam.get("name")),
        "cnam_type": _text(cnam.get("type")),
    }


def land_lookups(lake: Lake, rows: list[dict[str, Any]], *, now: datetime) -> None:
    """Adds rows to those that are held; what was paid for is never taken out again."""
    if not rows:
        return
    added = pl.DataFrame(pa.Table.from_pylist(rows, schema=_TABLE.schema))
    merged = pl.concat([lake.scan(_TABLE.name).collect(), added], how="diagonal").select(_TABLE.schema.names)
    merged = merged.unique(list(_TABLE.key), keep="last", maintain_order=True).sort(_TABLE.key)
    staged = lake.stage(_TABLE.name, _LABEL, merged)
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=now, stage="land", note="lookups")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) < _SMALL else None
