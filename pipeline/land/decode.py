"""Items as the provider sends them -> a typed frame, and the ones that do not fit, each with its reason.

A page that was cut goes the fast way of ``columns``. Any other, and what does not fit there, is turned into columns
item by item; where something does not fit there either, each item goes through ``usual`` first, which knows the
dialects of the contract; what is still wrong is a row with a reason. Private fields
(message text, media links, user data) are taken out before anything else looks at an item.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.domain.cursor import PRIVATE, Cut
from pipeline.lake.tables import BY_NAME, Table
from pipeline.lake.tables.kinds import rate as lake_rate
from pipeline.lake.tables.kinds import ts as lake_ts
from pipeline.land.columns import columns
from pipeline.land.dialects import (
    FOLDED,
    GROUP,
    INSTANT,
    LONGEST_EXTRA,
    LONGEST_TEXT,
    NUMBER,
    usual,
    wire_columns,
)
from pipeline.land.texts import joined, texts

_TRUTH = {"true": True, "false": False}
_DOES_NOT_FIT = (
    TypeError, ValueError, KeyError, OverflowError, RecursionError, pl.exceptions.PolarsError, pa.ArrowException,
)  # fmt: skip
_PATTERNS = {lake_rate: NUMBER, lake_ts: INSTANT}
_json = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that cannot be landed."""

    raw: bytes
    dr_sid: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Items:
    """Items without their private fields, by key: a list of values for each.

    ``odd`` says that a text may be too long or hold a NUL.
    """

    count: int
    values: dict[str, list[Any]]
    private: list[str | None]
    odd: bool = False


def decode(
    items: Sequence[dict[str, Any]], table: Table, source: str, sort_key: str, *, store_private: bool = False
) -> tuple[pa.Table, list[Rejected]]:
    """Typed rows (without revision and landed_at) and rejected items; together as many as came."""
    if isinstance(items, Cut):
        return decode_cuts([items], table, source, sort_key, store_private=store_private)
    return _decode_items(list(items), table, source, sort_key, store_private)


def decode_cuts(
    cuts: Sequence[Cut], table: Table, source: str, sort_key: str, *, store_private: bool = False
) -> tuple[pa.Table, list[Rejected]]:
    """As ``decode``, of pages with the same keys together, and each alone where they do not all go the fast way."""
    schema = decoded_schema(table)
    with suppress(*_DOES_NOT_FIT):
        found = columns(joined([texts(cut) for cut in cuts]), table, source, store_private=store_private)
        whole = pa.table([found[name] for name in schema.names], schema)
        _check_records(whole, sort_key)
        return whole, []
    if len(cuts) == 1:
        return _decode_items(list(cuts[0]), table, source, sort_key, store_private)
    each = [decode_cuts([cut], table, source, sort_key, store_private=store_private) for cut in cuts]
    return pa.concat_tables([rows for rows, _ in each]), [item for _, rejected in each for item in rejected]


def decoded_schema(table: Table) -> pa.Schema:
    """What ``decode`` gives: the table without what landing adds."""
    return _decoded_schema(table.name)


@cache
def _decoded_schema(name: str) -> pa.Schema:
    return pa.schema([field for field in BY_NAME[name].schema if field.name not in ("revision", "landed_at")])


def _decode_items(
    items: list[dict[str, Any]], table: Table, source: str, sort_key: str, store_private: bool
) -> tuple[pa.Table, list[Rejected]]:
    private = _take_private(items, store_private)
    with suppress(*_DOES_NOT_FIT):
        return _frame(_turned(items, private), table, source, sort_key), []
    rejected: list[Rejected] = []
    sound: list[tuple[dict[str, Any], dict[str, Any], str | None]] = []
    wire = wire_columns(table)
    for item, own in zip(items, private, strict=True):
        better, problem = usual(item, wire, sort_key)
        if problem is None:
            sound.append((item, better, own))
        else:
            rejected.append(_rejected(item, problem))
    return _rest(sound, table, source, sort_key, rejected), rejected


def redacted(item: dict[str, Any]) -> bytes:
    """The bytes of an item that are kept when it cannot be landed."""
    shown = {key: value for key, value in item.items() if key not in PRIVATE}
    try:
        return msgspec.json.encode(shown, order="sorted")
    except (TypeError, ValueError, RecursionError):
        return ascii(sorted(shown)).encode()


def _rest(
    sound: list[tuple[dict[str, Any], dict[str, Any], str | None]],
    table: Table,
    source: str,
    sort_key: str,
    rejected: list[Rejected],
) -> pa.Table:
    """The rows of the repaired items; one by one where it is still not clear which of them does not fit."""
    frames = [_frame(_Items(0, {}, []), table, source, sort_key)]
    batches = [sound]
    while batches:
        batch = batches.pop(0)
        try:
            given = _turned([better for _, better, _ in batch], [own for _, _, own in batch])
            frames.append(_frame(given, table, source, sort_key))
        except _DOES_NOT_FIT as error:
            half = len(batch) // 2
            if half:
                batches[:0] = [batch[:half], batch[half:]]
            elif batch:
                reason = f"a value does not fit its column: {ascii(str(error))[:120]}"
                rejected.append(_rejected(batch[0][0], reason))
    return pa.concat_tables(frames)


def _take_private(items: list[dict[str, Any]], store: bool) -> list[str | None]:
    taken: list[str | None] = [None] * len(items)
    if store:
        found = [{name: item[name] for name in PRIVATE if item.get(name)} for item in items]
        taken = [_json.encode(fields).decode() if fields else None for fields in found]
    for name in PRIVATE:
        for item in items:
            item.pop(name, None)
    return taken


def _turned(items: list[dict[str, Any]], private: list[str | None]) -> _Items:
    """Items as columns.

    Raises:
        TypeError, ValueError, RecursionError: an item holds what cannot be written as JSON.
    """
    texts = [_json.encode(item) for item in items]
    odd = max(map(len, texts), default=0) > LONGEST_TEXT or any(b"\\u0000" in text for text in texts)
    names = sorted({key for item in items for key in item})
    return _Items(len(items), {key: [item.get(key) for item in items] for key in names}, private, odd)


def _frame(given: _Items, table: Table, source: str, sort_key: str) -> pa.Table:
    """Typed columns.

    Raises:
        TypeError, ValueError, polars and pyarrow errors: a value does not fit its column, or a record is none.
    """
    values, count = given.values, given.count
    nothing = [None] * count
    wire = wire_columns(table)
    series = [_column(name, values.get(name, nothing), kind, given.odd) for name, kind in wire]
    series += [
        pl.Series("source", [source] * count, pl.String),
        pl.Series("private_json", given.private, pl.String),
        _extra(values, {name for name, _ in wire}, count),
    ]
    if "recipients" in table.schema.names:
        counts = [max(1, len(group or ())) for group in values.get(GROUP, nothing)]
        series.append(pl.Series("recipients", counts, pl.Int32))
    schema = decoded_schema(table)
    rows = pl.DataFrame(series).select(schema.names).to_arrow().cast(schema)
    _check_records(rows, sort_key)
    return rows


def _column(name: str, values: list[Any], kind: pa.DataType, odd: bool) -> pl.Series:
    """A typed column; what does not fit raises. Arrow reads dates ten times as fast as Polars does."""
    if values.count(None) == len(values):
        return _nothing(name, kind, len(values))
    if pa.types.is_integer(kind) and not any(isinstance(value, str) for value in values):
        return pl.Series(name, values, pl.Int32 if pa.types.is_int32(kind) else pl.Int64, strict=True)
    if pa.types.is_boolean(kind):
        words = [None if value is None else str(value).lower() for value in values]
        return pl.Series(name, [None if word is None else _TRUTH[word] for word in words], pl.Boolean)
    if pa.types.is_string(kind) and name not in FOLDED:
        if odd:
            _check_texts(values)
        return pl.Series(name, values, pl.String, strict=True)
    text = pa.array(values, pa.string())
    if pa.types.is_string(kind):
        return pl.Series(name, pl.from_arrow(pc.utf8_lower(text)))
    pattern = _PATTERNS.get(kind)
    if pattern and pc.all(pc.match_substring_regex(text, pattern)).as_py() is False:
        raise ValueError(name)
    return pl.Series(name, pl.from_arrow(pc.cast(text, kind)))


@lru_cache(256)
def _nothing(name: str, kind: pa.DataType, count: int) -> pl.Series:
    return pl.Series(name, pl.from_arrow(pa.nulls(count, kind)))


def _check_texts(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, str) and ("\0" in value or len(value.encode()) > LONGEST_TEXT):
            raise ValueError(value[:80])


def _check_records(rows: pa.Table, sort_key: str) -> None:
    """Every row has what a record must have, and no call ends before it starts."""
    if any(rows[name].null_count for name in ("dr_sid", "partner_sid", sort_key)):
        raise ValueError(sort_key)
    if any(pc.any(pc.equal(rows[name], "")).as_py() for name in ("dr_sid", "partner_sid")):
        raise ValueError("dr_sid")
    # Messages do end before they start, in the documents' own samples.
    if "date_talk" in rows.column_names and pc.any(pc.less(rows["date_stop"], rows["date_start"])).as_py():
        raise ValueError("date_stop")


def _extra(values: dict[str, list[Any]], known: set[str], count: int) -> pl.Series:
    names = [name for name in values if name not in known and name != GROUP]
    if not names:
        return pl.Series("extra_json", [None] * count, pl.String)
    rows = zip(*(values[name] for name in names), strict=True)
    texts = [_json.encode({k: v for k, v in zip(names, row, strict=True) if v is not None}) for row in rows]
    if max(map(len, texts)) > LONGEST_EXTRA:
        msg = "the unknown keys of an item are too large"
        raise ValueError(msg)
    return pl.Series("extra_json", [None if t == b"{}" else t.decode() for t in texts], pl.String)


def _rejected(item: dict[str, Any], reason: str) -> Rejected:
    sid = item.get("dr_sid")
    return Rejected(redacted(item), sid if isinstance(sid, str) else None, reason)
