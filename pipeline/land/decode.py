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


def decode(
    items: list[dict[str, Any]], table: Table, source: str, sort_key: str
) -> tuple[pl.DataFrame, list[Rejected]]:
    """Typed rows (without revision and landed_at) and rejected items; together as many as came.

    Private fields are taken out of ``items`` themselves, before anything else looks at them.
    """
    for item in items:
        for name in PRIVATE:
            item.pop(name, None)
    try:
        frame, complete = _frame(items, table, source, items)
    except (TypeError, pl.exceptions.PolarsError):
        return _one_by_one(items, table, source, sort_key)
    if complete and _has_keys(frame, sort_key):
        return frame, []
    return _one_by_one(items, table, source, sort_key)


def wire_columns(table: Table) -> list[tuple[str, pa.DataType]]:
    """The columns that come from the wire under their own name."""
    return [(name, kind) for name, kind, _ in table.columns if name not in DERIVED]


def _frame(
    items: list[dict[str, Any]], table: Table, source: str, given: list[dict[str, Any]]
) -> tuple[pl.DataFrame, bool]:
    """Typed columns of ``items``, and whether every value that came is in them.

    The content hash is of ``given``: what came, before any repair.
    """
    columns: dict[str, pl.Series] = {}
    complete = True
    for name, kind in wire_columns(table):
        text, typed = _series(name, [item.get(name) for item in items], kind)
        complete = complete and text.null_count() == typed.null_count()
        columns[name] = typed
    known = {name for name, _ in wire_columns(table)} | {"number_group_dst"}
    extra = [None if item.keys() <= known else _extra(item, known) for item in items]
    added = [
        pl.lit(source).alias("source"),
        pl.Series("content_hash", [_hash(item) for item in given], pl.String),
        pl.Series("extra_json", extra, pl.String),
    ]
    if "recipients" in table.schema.names:
        counts = [max(1, len(item.get("number_group_dst") or ())) for item in items]
        added.append(pl.Series("recipients", counts, pl.Int32))
    return pl.DataFrame(columns).with_columns(added), complete


def _series(name: str, values: list[Any], kind: pa.DataType) -> tuple[pl.Series, pl.Series]:
    """A column as it came and as typed; raises on a value of another JSON type, gives null for what does not parse."""
    if pa.types.is_integer(kind):
        target = pl.Int32 if pa.types.is_int32(kind) else pl.Int64
        if not any(isinstance(v, str) for v in values):
            same = pl.Series(name, values, target, strict=True)
            return same, same
        text = pl.Series(name, values, pl.String, strict=True)
        return text, text.cast(target, strict=False)
    if pa.types.is_boolean(kind):
        words = pl.Series(name, [None if v is None else str(v).lower() for v in values], pl.String)
        return words, words.replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    text = pl.Series(name, values, pl.String, strict=True)
    if pa.types.is_timestamp(kind):
        return text, _instants(text)
    if pa.types.is_decimal(kind):
        return text, _where(text, _NUMBER).cast(pl.Decimal(24, 12), strict=False)
    return text, (text.str.to_lowercase() if name in _FOLDED else text)


def _instants(text: pl.Series) -> pl.Series:
    naive = _where(text, _INSTANT).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms", strict=False)
    return naive.dt.replace_time_zone("UTC")


def _where(text: pl.Series, pattern: str) -> pl.Series:
    """The texts that match, null for the others."""
    return text.zip_with(text.str.contains(pattern).fill_null(False), pl.Series([None], dtype=pl.String))


def _has_keys(frame: pl.DataFrame, sort_key: str) -> bool:
    """Whether every row has what a record must have."""
    return not any(frame[name].null_count() for name in ("dr_sid", "partner_sid", sort_key))


def _one_by_one(
    items: list[dict[str, Any]], table: Table, source: str, sort_key: str
) -> tuple[pl.DataFrame, list[Rejected]]:
    frames, rejected = [_frame([], table, source, [])[0]], []
    for item in items:
        repaired, problem = _repair(item, table, sort_key)
        frame = None
        if problem is None:
            try:
                frame, complete = _frame([repaired], table, source, [item])
                if not (complete and _has_keys(frame, sort_key)):
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
