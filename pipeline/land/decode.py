"""Items as the provider sends them -> a typed frame, and the ones that do not fit, each with its reason.

The fast path takes a whole page column by column. Where something does not fit there, each item goes through
``usual`` first, which knows the dialects of the contract; what is still wrong is a row with a reason. Private fields
(message text, media links, user data) are taken out before anything else looks at an item.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.domain.cursor import PRIVATE
from pipeline.lake.tables import Table
from pipeline.lake.tables import rate as lake_rate
from pipeline.lake.tables import ts as lake_ts
from pipeline.land.dialects import FOLDED, INSTANT, LONGEST_EXTRA, LONGEST_TEXT, NUMBER, usual

DERIVED = (
    "source", "revision", "content_hash", "landed_at", "extra_json", "private_json", "recipients", "superseded_at",
)  # fmt: skip
_GROUP = "number_group_dst"
_TRUTH = {"true": True, "false": False}
_DOES_NOT_FIT = (
    TypeError, ValueError, KeyError, OverflowError, RecursionError, pl.exceptions.PolarsError, pa.ArrowException,
)  # fmt: skip
_PATTERNS = {lake_rate: NUMBER, lake_ts: INSTANT}
_FEW = 32
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that cannot be landed."""

    raw: bytes
    dr_sid: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Items:
    """Items without their private fields, by key: a list of values for each; hashes are the items' own.

    ``odd`` says that a text may be too long or hold a NUL.
    """

    values: dict[str, list[Any]]
    hashes: list[str]
    private: list[str | None]
    odd: bool = False


def decode(
    items: list[dict[str, Any]], table: Table, source: str, sort_key: str, *, store_private: bool = False
) -> tuple[pl.DataFrame, list[Rejected]]:
    """Typed rows (without revision and landed_at) and rejected items; together as many as came."""
    private = _take_private(items, store_private)
    rejected: list[Rejected] = []
    try:
        given = _turned(items, private)
        return _frame(given, table, source, sort_key), []
    except _DOES_NOT_FIT:
        pass
    sound: list[int] = []
    fixed: list[dict[str, Any]] = []
    columns = wire_columns(table)
    for place, item in enumerate(items):
        better, problem = usual(item, columns, sort_key)
        if problem is None:
            sound.append(place)
            fixed.append(better)
        else:
            rejected.append(_rejected(item, problem))
    return _rest(items, private, sound, fixed, table, source, sort_key, rejected), rejected


def wire_columns(table: Table) -> list[tuple[str, pa.DataType]]:
    """The columns that come from the wire under their own name."""
    return [(name, kind) for name, kind, _ in table.columns if name not in DERIVED]


def redacted(item: dict[str, Any]) -> bytes:
    """The bytes of an item that are kept when it cannot be landed."""
    shown = {key: value for key, value in item.items() if key not in PRIVATE}
    try:
        return msgspec.json.encode(shown, order="sorted")
    except (TypeError, ValueError, RecursionError):
        return ascii(sorted(shown)).encode()


def _rest(
    items: list[dict[str, Any]],
    private: list[str | None],
    sound: list[int],
    fixed: list[dict[str, Any]],
    table: Table,
    source: str,
    sort_key: str,
    rejected: list[Rejected],
) -> pl.DataFrame:
    """The frame of the repaired items; one by one where it is still not clear which of them does not fit."""
    batches = [(sound, fixed)]
    frames = [_frame(_Items({}, [], []), table, source, sort_key)]
    while batches:
        places, batch = batches.pop(0)
        try:
            hashes = _turned([items[n] for n in places], []).hashes
            values = _turned(batch, [private[n] for n in places])
            frames.append(_frame(replace(values, hashes=hashes), table, source, sort_key))
        except _DOES_NOT_FIT as error:
            half = len(batch) // 2
            if half:
                batches[:0] = [(places[:half], batch[:half]), (places[half:], batch[half:])]
            elif batch:
                reason = f"a value does not fit its column: {ascii(str(error))[:120]}"
                rejected.append(_rejected(items[places[0]], reason))
    return pl.concat(frames)


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
    """Items as columns; the content hash is of an item's own keys, in their order, and values."""
    keys = sorted(items[0]) if items else []
    if len(keys) > 1 and all(len(item) == len(keys) for item in items):
        with suppress(KeyError):
            return _turned_alike(items, keys, private)
    own = [sorted(item) for item in items]
    texts = [_json.encode([item[key] for key in names]) for item, names in zip(items, own, strict=True)]
    hashes = [_hash(_json.encode(names), text) for names, text in zip(own, texts, strict=True)]
    values = {key: [item.get(key) for item in items] for key in {key for item in items for key in item}}
    return _Items(values, hashes, private, _odd(texts))


def _turned_alike(items: list[dict[str, Any]], keys: list[str], private: list[str | None]) -> _Items:
    """Items that all have the same keys, a few at a time: a page is larger than a processor's cache."""
    get, head = itemgetter(*keys), _json.encode(keys)
    columns: list[list[Any]] = [[] for _ in keys]
    hashes: list[str] = []
    odd = False
    for start in range(0, len(items), _FEW):
        rows = list(map(get, items[start : start + _FEW]))
        texts = list(map(_json.encode, rows))
        hashes += [_hash(head, text) for text in texts]
        odd = odd or _odd(texts)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column += values
    return _Items(dict(zip(keys, columns, strict=True)), hashes, private, odd)


def _hash(head: bytes, row: bytes) -> str:
    return hashlib.sha256(head + row).hexdigest()[:32]


def _odd(texts: list[bytes]) -> bool:
    return max(map(len, texts), default=0) > LONGEST_TEXT or any(b"\\u0000" in text for text in texts)


def _frame(given: _Items, table: Table, source: str, sort_key: str) -> pl.DataFrame:
    """Typed columns.

    Raises:
        TypeError, ValueError, polars and pyarrow errors: a value does not fit its column, or a record is none.
    """
    values, count = given.values, len(given.hashes)
    nothing = [None] * count
    wire = wire_columns(table)
    columns = [_column(name, values.get(name, nothing), kind, given.odd) for name, kind in wire]
    columns += [
        pl.Series("source", [source] * count, pl.String),
        pl.Series("content_hash", given.hashes, pl.String),
        pl.Series("private_json", given.private, pl.String),
        _extra(values, {name for name, _ in wire}, count),
    ]
    if "recipients" in table.schema.names:
        counts = [max(1, len(group or ())) for group in values.get(_GROUP, nothing)]
        columns.append(pl.Series("recipients", counts, pl.Int32))
    frame = pl.DataFrame(columns)
    _check_records(frame, sort_key)
    return frame


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


def _check_records(frame: pl.DataFrame, sort_key: str) -> None:
    """Every row has what a record must have, and no call ends before it starts."""
    if any(frame[name].null_count() for name in ("dr_sid", "partner_sid", sort_key)):
        raise ValueError(sort_key)
    if any((frame[name] == "").any() for name in ("dr_sid", "partner_sid")):
        raise ValueError("dr_sid")
    # Messages do end before they start, in the documents' own samples.
    if "date_talk" in frame.columns and (frame["date_stop"] < frame["date_start"]).any():
        raise ValueError("date_stop")


def _extra(values: dict[str, list[Any]], known: set[str], count: int) -> pl.Series:
    names = [name for name in values if name not in known and name != _GROUP]
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
