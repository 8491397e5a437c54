"""Items as the provider sends them -> a typed frame, and the ones that do not fit, each with its reason.

The fast path takes a whole page column by column. What does not fit there goes item by item through ``_repair``,
which knows the dialects of the contract (numbers as numbers or text, booleans as text, dates without milliseconds);
what is still wrong is a row with a reason. Private fields (message text, media links, user data) are dropped first.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from pipeline.lake.tables import Table

PRIVATE = ("message", "media_urls", "user_data")
DERIVED = ("source", "revision", "content_hash", "landed_at", "extra_json", "recipients", "superseded_at")
_INSTANT = r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$"
_NUMBER = r"^-?\d{1,12}(\.\d{1,12})?$"
_NUMBER_RE = re.compile(_NUMBER)
_FOLDED = {"disconnect_originator", "direction"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that cannot be landed."""

    raw: bytes
    dr_sid: str | None
    reason: str


def decode(items: list[dict[str, Any]], table: Table, source: str, sort_key: str) -> tuple[pl.DataFrame, list[Rejected]]:
    """Typed rows (without revision and landed_at) and rejected items; together as many as came."""
    items = [_public(item) for item in items]
    try:
        frame = _frame(items, table, source, items)
    except (TypeError, pl.exceptions.PolarsError):
        return _one_by_one(items, table, source, sort_key)
    if _fits(frame, items, table, sort_key):
        return frame, []
    return _one_by_one(items, table, source, sort_key)


def wire_columns(table: Table) -> list[tuple[str, pa.DataType]]:
    """The columns that come from the wire under their own name."""
    return [(name, kind) for name, kind, _ in table.columns if name not in DERIVED]


def _public(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in PRIVATE}


def _frame(items: list[dict[str, Any]], table: Table, source: str, given: list[dict[str, Any]]) -> pl.DataFrame:
    """Typed columns of ``items``; the content hash is of ``given``, what came before any repair."""
    columns: dict[str, pl.Series] = {}
    for name, kind in wire_columns(table):
        columns[name] = _series(name, [item.get(name) for item in items], kind)
    frame = pl.DataFrame(columns)
    known = {name for name, _ in wire_columns(table)} | {"number_group_dst"}
    names = table.schema.names
    extra = [_extra(item, known) for item in items]
    hashes = [_hash(item) for item in given]
    added = [
        pl.lit(source).alias("source"),
        pl.Series("content_hash", hashes, pl.String),
        pl.Series("extra_json", extra, pl.String),
    ]
    if "recipients" in names:
        counts = [max(1, len(item.get("number_group_dst") or ())) for item in items]
        added.append(pl.Series("recipients", counts, pl.Int32))
    return frame.with_columns(added)


def _series(name: str, values: list[Any], kind: pa.DataType) -> pl.Series:
    """One typed column; raises on a value of another JSON type, gives null for text that does not parse."""
    if pa.types.is_int32(kind) or pa.types.is_int64(kind):
        target = pl.Int32 if pa.types.is_int32(kind) else pl.Int64
        if any(isinstance(v, str) for v in values):
            return pl.Series(name, values, pl.String, strict=True).cast(target, strict=False)
        return pl.Series(name, values, target, strict=True)
    if pa.types.is_boolean(kind):
        return pl.Series(name, [_boolean(v) for v in values], pl.Boolean)
    text = pl.Series(name, values, pl.String, strict=True)
    if pa.types.is_timestamp(kind):
        good = text.str.contains(_INSTANT)
        naive = text.to_frame().select(
            pl.when(good).then(pl.col(name)).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms", strict=False)
        )
        return naive.to_series().dt.replace_time_zone("UTC").alias(name)
    if pa.types.is_decimal(kind):
        good = text.str.contains(_NUMBER)
        clean = text.to_frame().select(pl.when(good).then(pl.col(name)))
        return clean.to_series().cast(pl.Decimal(24, 12), strict=False).alias(name)
    return text.str.to_lowercase() if name in _FOLDED else text


def _fits(frame: pl.DataFrame, items: list[dict[str, Any]], table: Table, sort_key: str) -> bool:
    """Whether every value that came is there, and every row has what a record must have."""
    for name, _ in wire_columns(table):
        if frame[name].null_count() != sum(item.get(name) is None for item in items):
            return False
    return not any(frame[name].null_count() for name in ("dr_sid", "partner_sid", sort_key))


def _one_by_one(
    items: list[dict[str, Any]], table: Table, source: str, sort_key: str
) -> tuple[pl.DataFrame, list[Rejected]]:
    frames, rejected = [_frame([], table, source, [])], []
    for item in items:
        repaired, problem = _repair(item, table, sort_key)
        frame = None
        if problem is None:
            try:
                frame = _frame([repaired], table, source, [item])
                if not _fits(frame, [repaired], table, sort_key):
                    problem = "a value does not fit its column"
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
                problem = f"does not fit: {error}"[:200]
        if problem is not None or frame is None:
            rejected.append(Rejected(_raw(item), _sid(item), problem or "does not fit"))
        else:
            frames.append(frame)
    return pl.concat(frames), rejected


def _repair(item: dict[str, Any], table: Table, sort_key: str) -> tuple[dict[str, Any], str | None]:
    """The item in the provider's usual types, or the first thing that is wrong with it."""
    fixed = dict(item)
    for name, kind in wire_columns(table):
        value = item.get(name)
        if value is None:
            continue
        try:
            fixed[name] = _usual(value, kind)
        except (ValueError, TypeError, ArithmeticError):
            return fixed, f"{name}: {str(value)[:80]!r} is not {_meaning(kind)}"
    for name in ("dr_sid", "partner_sid", sort_key):
        if not fixed.get(name):
            return fixed, f"{name} is missing"
    return fixed, None


def _usual(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind):
        return _usual_instant(value)
    if pa.types.is_decimal(kind):
        text = value.strip() if isinstance(value, str) else format(Decimal(str(value)), "f")
        if isinstance(value, bool) or not _NUMBER_RE.match(text):
            raise ValueError(value)
        return text
    if pa.types.is_integer(kind):
        if isinstance(value, bool):
            raise ValueError(value)
        return int(value)
    if pa.types.is_boolean(kind):
        if _boolean(value) is None:
            raise ValueError(value)
        return value
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value, order="sorted").decode()
    return str(value)


def _usual_instant(value: Any) -> str:
    at = datetime.fromisoformat(value)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _meaning(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "a date and time"
    if pa.types.is_boolean(kind):
        return "true or false"
    return "a number" if pa.types.is_decimal(kind) or pa.types.is_integer(kind) else "text"


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def _extra(item: dict[str, Any], known: set[str]) -> str | None:
    extra = {key: item[key] for key in item.keys() - known}
    return msgspec.json.encode(extra, order="sorted").decode() if extra else None


def _hash(item: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(item, order="sorted")).hexdigest()[:32]


def _raw(item: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(item, order="sorted")
    except (TypeError, ValueError, UnicodeEncodeError):
        return repr(item).encode("utf-8", "backslashreplace")


def _sid(item: dict[str, Any]) -> str | None:
    sid = item.get("dr_sid")
    return sid if isinstance(sid, str) else None
