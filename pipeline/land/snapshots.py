"""Lists taken whole: partners, DIDs, endpoints, countries, the provider's invoices. History is kept by content.

A row is valid from the snapshot that first showed its content to the one that no longer did. A snapshot that shows
nothing new changes no file. Columns are an allow-list: secrets that an item carries are never landed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from pipeline.lake.lake import Lake, Staged
from pipeline.lake.tables import BY_NAME, Table
from pipeline.land.decode import Rejected
from pipeline.land.quarantine import stage_rejected

_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?\Z")
# Never kept, however deep they are found: numbers of cards and accounts, and whatever opens something.
_SECRETS = {
    "cc_number", "cc_cid", "ec_account_number", "ec_routing_number", "properties", "voip_token", "password",
    "out_sip_password", "sip_password", "access_token", "refresh_token", "client_secret", "token", "secret", "api_key",
}  # fmt: skip
# Seen and left out on purpose: secrets, and nested settings that billing does not read.
_IGNORED = {
    "acls", "parent_assigned_acls", "attributes", "callbacks", "transformations", "available_scopes", "partner",
    "properties", "addresses", "out_sip_password", "out_sip_username", "voip_token", "callback_url",
    "in_country_format", "international_format", "invoice_items", "tax_items", "pay_items",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One list: where it is served, the order that makes paging stable, and where it lands."""

    resource: str
    path: str
    key: str


SNAPSHOTS = (
    Snapshot("partners", "/partners", "partner_sid"),
    Snapshot("dids", "/phonenumber/dids", "did_sid"),
    Snapshot("endpoints", "/endpoints", "endpoint_sid"),
    Snapshot("countries", "/countries", "iso_3166_alpha_3"),
    Snapshot("provider_invoices", "/invoices", "invoice_sid"),
)
BY_RESOURCE = {s.resource: s for s in SNAPSHOTS}


@dataclass(frozen=True, slots=True)
class SnapshotLanded:
    """How a snapshot differed from what was held."""

    rows: int
    new: int
    gone: int
    quarantined: int


def land_snapshot(
    lake: Lake, snapshot: Snapshot, items: list[dict[str, Any]], *, source: str, now: datetime
) -> SnapshotLanded:
    """Lands one list as it stands at ``now``."""
    table = BY_NAME[f"land/{snapshot.resource}"]
    keys = [name for name in table.key if name != "valid_from"]
    rows, rejected = _rows(items, table, keys)
    held = lake.scan(table.name).collect()
    merged, new, gone = _merge(held, rows, table, keys, now)
    staged: list[Staged] = [lake.stage(table.name, "all", merged)] if new or gone else []
    staged += stage_rejected(lake, snapshot.resource, source, rejected, now)
    if staged:
        with lake.ledger.transaction() as tx:
            lake.commit(tx, staged, at=now, stage="land", note=snapshot.resource)
    return SnapshotLanded(len(rows), new, gone, len(rejected))


def _merge(
    held: pl.DataFrame, rows: list[dict[str, Any]], table: Table, keys: list[str], now: datetime
) -> tuple[pl.DataFrame, int, int]:
    content = [name for name in table.schema.names if name not in ("valid_from", "valid_to")]
    schema = pa.schema([table.schema.field(name) for name in content])
    shown = pl.DataFrame(pa.Table.from_pylist(rows, schema=schema))
    seen = shown.unique(keys, keep="last", maintain_order=True)
    open_rows = held.filter(pl.col("valid_to").is_null())
    new = seen.join(open_rows, how="anti", on=content, nulls_equal=True)
    gone = open_rows.join(seen, how="anti", on=content, nulls_equal=True)
    instant = pl.lit(now).cast(pl.Datetime("ms", "UTC"))
    # What was first seen at this same instant was never valid: two of one key would begin together.
    closed = gone.filter(pl.col("valid_from") != instant).with_columns(instant.alias("valid_to"))
    kept = held.join(gone, on=[*keys, "valid_from"], how="anti", nulls_equal=True)
    opened = new.with_columns(
        instant.alias("valid_from"), pl.lit(None).cast(pl.Datetime("ms", "UTC")).alias("valid_to")
    )
    names = table.schema.names
    merged = pl.concat([part.select(names) for part in (kept, closed, opened)]).sort([*keys, "valid_from"])
    return merged, new.height, gone.height


def _rows(
    items: list[dict[str, Any]], table: Table, keys: list[str]
) -> tuple[list[dict[str, Any]], list[Rejected]]:
    rows, rejected = [], []
    for item in items:
        try:
            row = _row(item, table)
        except ValueError as error:
            rejected.append(
                Rejected(msgspec.json.encode(_safe(item), order="sorted"), None, str(error)[:200])
            )
            continue
        missing = [name for name in keys if row[name] in (None, "")]
        if not missing:
            rows.append(row)
        else:
            rejected.append(
                Rejected(msgspec.json.encode(_safe(item), order="sorted"), None, f"{missing[0]} is missing")
            )
    return rows, rejected


def _row(item: dict[str, Any], table: Table) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, kind, _ in table.columns:
        if name in _NESTED:
            row[name] = _NESTED[name](item)
        elif name not in ("valid_from", "valid_to", "extra_json"):
            row[name] = _value(name, item.get(name), kind)
    if "extra_json" in table.schema.names:
        extra = _safe({k: v for k, v in item.items() if k not in row and k not in _IGNORED})
        row["extra_json"] = msgspec.json.encode(extra, order="sorted").decode() if extra else None
    return row


def _value(name: str, value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    try:
        if pa.types.is_decimal(kind):
            if not _NUMBER.match(str(value)):
                raise ValueError
            return Decimal(str(value))
        if pa.types.is_timestamp(kind):
            at = datetime.fromisoformat(value)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        if pa.types.is_integer(kind):
            if abs(number := int(value)) >= 2 ** (kind.bit_width - 1):
                raise ValueError
            return number
        if pa.types.is_boolean(kind):
            return {"true": True, "false": False}[str(value).lower()]
    except (ValueError, TypeError, KeyError, InvalidOperation):
        msg = f"{name}: {str(value)[:80]!r} does not fit {kind}"
        raise ValueError(msg) from None
    if isinstance(value, dict | list):
        # Not told what it holds: it may be anything.
        msg = f"{name}: {'an object' if isinstance(value, dict) else 'a list'} does not fit {kind}"
        raise ValueError(msg)
    return str(value)


def _json_of(name: str) -> Callable[[dict[str, Any]], str]:
    def read(item: dict[str, Any]) -> str:
        return msgspec.json.encode(_safe(item.get(name) or []), order="sorted").decode()

    return read


def _safe(value: Any) -> Any:
    """Without secrets."""
    if isinstance(value, dict):
        return {k: _safe(v) for k, v in value.items() if k not in _SECRETS}
    if isinstance(value, list):
        return [_safe(v) for v in value]
    return value


_NESTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "items_json": _json_of("invoice_items"),
    "tax_json": _json_of("tax_items"),
    "pay_json": _json_of("pay_items"),
}
