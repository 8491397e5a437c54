"""Pages that were cut -> typed columns, for all of their records at once: the fast way of most pages.

It takes the provider's usual way of writing a value and nothing else: texts in quotes, dates with milliseconds and Z,
numbers without sign and exponent. What it takes it takes as the strict way does, item by item; whatever else there is
makes the whole page go that way.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.domain.cursor import PRIVATE
from pipeline.lake.tables import Table
from pipeline.land.dialects import FOLDED, GROUP, LONGEST_EXTRA, LONGEST_TEXT, NUMBER, wire_columns
from pipeline.land.texts import Texts

_PATTERNS = {
    pa.int32(): r"^-?(?:0|[1-9]\d{0,8})$",
    pa.int64(): r"^-?(?:0|[1-9]\d{0,17})$",
    pa.bool_(): r"(?i)^(?:true|false)$",
}
# The usual date, 2026-03-01T15:32:15.589Z: its length, the marks in it, and the years that there are.
_WIDTH = 24
_AT = [4, 7, 10, 19, 23]
_MARKS = np.frombuffer(b"--T.Z", np.uint8)
_YEARS = tuple(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (1990, 2100))
# A number of no more letters has at most twelve digits on either side.
_SHORT = 12
_GROUP_OF_TEXTS = r'^\[(?:"[^"\\]*"(?:,"[^"\\]*")*)?\]$'
_PLAIN = r'^(?:"[^"\\]*"|-?(?:0|[1-9]\d{0,17})|true|false)$'
_NAME = r"^[A-Za-z0-9_.-]+$"


class UnusualError(ValueError):
    """A page that the fast way does not take."""


def columns(page: Texts, table: Table, source: str, *, store_private: bool) -> dict[str, pa.Array]:
    """The typed columns of these values, as ``decode`` gives them, by name.

    Raises:
        UnusualError, pyarrow errors: a value is not written in the usual way.
    """
    if store_private and page.private:
        raise UnusualError("private")
    found = {name: _column(page, name, kind) for name, kind in wire_columns(table)}
    found["source"] = pa.repeat(source, page.count)
    found["private_json"] = _nothing(pa.string(), page.count)
    found["extra_json"] = _extra(page, {*found, *PRIVATE, GROUP})
    if any(name == "recipients" for name, _, _ in table.columns):
        found["recipients"] = _recipients(page)
    return found


def _text(page: Texts, name: str) -> pa.StringArray:
    """The values of a key, as they are written."""
    found = page.values[name]
    if page.odd and pc.any(pc.match_substring(found, "\\")).as_py():
        raise UnusualError(name)
    return found


def _letters(text: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of the values one after another, and where each begins, with the end of the last."""
    _, ends, data = text.buffers()
    places = np.frombuffer(ends, np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data or b"", np.uint8)[places[0] : places[-1]], places - places[0]


def _instants(text: pa.StringArray, kind: pa.DataType) -> pa.Array:
    """Dates and times of these years; of their marks, those that Arrow leaves open."""
    letters, places = _letters(text)
    usual = len(letters) == _WIDTH * (len(text) - text.null_count) and np.diff(places).max() <= _WIDTH
    if not usual or (letters.reshape(-1, _WIDTH)[:, _AT] != _MARKS).any():
        raise UnusualError("date")
    found = pc.cast(text, kind)
    bounds = pc.min_max(found.view(pa.int64())).as_py()
    if not _YEARS[0] <= bounds["min"] <= bounds["max"] < _YEARS[1]:
        raise UnusualError("date")
    return found


def _check_number(text: pa.StringArray, longest: int) -> None:
    """Whether all of them are ``NUMBER``; short ones are when they are digits and points, and digits at both ends.

    That there is one point at most is seen when they are read.
    """
    if longest > _SHORT:
        _match(text, NUMBER)
        return
    letters, places = _letters(text)
    digit = (letters >= ord("0")) & (letters <= ord("9"))
    here = np.diff(places) > 0
    ends = np.concatenate([places[:-1][here], places[1:][here] - 1])
    whole = np.count_nonzero(here) == len(text) - text.null_count
    if not whole or not (digit | (letters == ord("."))).all() or not digit[ends].all():
        raise UnusualError("number")


def _column(page: Texts, name: str, kind: pa.DataType) -> pa.Array:
    if name not in page.values:
        return _nothing(kind, page.count)
    text = _text(page, name)
    if pa.types.is_string(kind) or pa.types.is_timestamp(kind):
        if page.longest[name] > LONGEST_TEXT or name not in page.plain:
            raise UnusualError(name)
        if pa.types.is_timestamp(kind):
            return _instants(text, kind)
        return pc.utf8_lower(text) if name in FOLDED else text
    if pa.types.is_decimal(kind):
        _check_number(text, page.longest[name])
    else:
        _match(text, _PATTERNS[kind])
    if pa.types.is_boolean(kind):
        return pc.equal(pc.utf8_lower(text), "true")
    return pc.cast(text, kind)


@lru_cache(256)
def _nothing(kind: pa.DataType, count: int) -> pa.Array:
    return pa.nulls(count, kind)


def _match(text: pa.Array, pattern: str) -> None:
    """Raises UnusualError unless all of them match; what comes again is looked at once."""
    if pc.all(pc.match_substring_regex(pc.unique(text), pattern)).as_py() is False:
        raise UnusualError(pattern)


def _recipients(page: Texts) -> pa.Array:
    if GROUP not in page.values:
        return pa.array(np.ones(page.count, np.int32))
    group = _text(page, GROUP)
    _match(group, _GROUP_OF_TEXTS)
    quotes = pc.fill_null(pc.count_substring(group, '"'), 0).to_numpy(zero_copy_only=False)
    return pa.array(np.maximum(1, quotes // 2).astype(np.int32))


def _extra(page: Texts, known: set[str]) -> pa.Array:
    """The values of unknown keys as one JSON object an item, in the order of the keys."""
    names = sorted(name for name in page.values if name not in known)
    if not names:
        return _nothing(pa.string(), page.count)
    members: list[Any] = []
    for name in names:
        values = _text(page, name)
        quotes = pa.array(np.where(page.in_quotes(name), '"', ""))
        values = pc.binary_join_element_wise(quotes, values, quotes, "")
        _match(pa.array([name]), _NAME)
        _match(values, _PLAIN)
        members.append(pc.binary_join_element_wise(pa.scalar(f'"{name}":'), values, ""))
    joined = pc.binary_join_element_wise(*members, ",", null_handling="skip")
    if pc.max(pc.binary_length(joined)).as_py() > LONGEST_EXTRA - 2:
        raise UnusualError("extra")
    whole = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(pc.equal(joined, ""), None, whole)
