"""A page that was cut -> typed columns, for all of its records at once: the fast way of most pages.

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

from pipeline.domain.cursor import PRIVATE, Cut
from pipeline.lake.tables import Table
from pipeline.lake.tables import rate as lake_rate
from pipeline.land.dialects import FOLDED, GROUP, LONGEST_EXTRA, LONGEST_TEXT, NUMBER, wire_columns

_PATTERNS = {
    lake_rate: NUMBER,
    pa.int32(): r"^-?(?:0|[1-9]\d{0,8})$",
    pa.int64(): r"^-?(?:0|[1-9]\d{0,17})$",
    pa.bool_(): r"(?i)^(?:true|false)$",
}
# The usual date, 2026-03-01T15:32:15.589Z: its length, the marks in it, and the years that there are.
_WIDTH = 24
_MARKS = tuple((at, ord(mark)) for at, mark in ((4, "-"), (7, "-"), (10, "T"), (19, "."), (23, "Z")))
_YEARS = tuple(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (1990, 2100))
_GROUP_OF_TEXTS = r'^\[(?:"[^"\\]*"(?:,"[^"\\]*")*)?\]$'
_PLAIN = r'^(?:"[^"\\]*"|-?(?:0|[1-9]\d{0,17})|true|false)$'
_NAME = r"^[A-Za-z0-9_.-]+$"


class UnusualError(ValueError):
    """A page that the fast way does not take."""


def columns(cut: Cut, table: Table, source: str, *, store_private: bool) -> dict[str, pa.Array]:
    """The typed columns of a page, as ``decode`` gives them, by name.

    Raises:
        UnusualError, pyarrow errors: a value is not written in the usual way.
    """
    page = _Page(cut)
    if store_private and any(page.filled(name) for name in PRIVATE):
        raise UnusualError("private")
    wire = wire_columns(table)
    found = {name: _column(page, name, kind) for name, kind in wire}
    found["source"] = pa.repeat(source, len(cut))
    found["private_json"] = _nothing(pa.string(), len(cut))
    found["extra_json"] = _extra(page, {*found, *PRIVATE, GROUP})
    if any(name == "recipients" for name, _, _ in table.columns):
        found["recipients"] = _recipients(page)
    return found


class _Page:
    """The values of a cut page as Arrow texts, by key."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        self.place = {name: place for place, name in enumerate(cut.names)}
        self._letters = np.frombuffer(cut.text, np.uint8)
        self.null = cut.null
        self.odd = b"\\" in cut.text
        self.longest = dict(zip(cut.names, (cut.end - cut.begin).max(axis=0).tolist(), strict=True))
        self._plain = dict(zip(cut.names, (cut.quoted | cut.null).all(axis=0).tolist(), strict=True))
        empty = dict(zip(cut.names, cut.null.all(axis=0).tolist(), strict=True))
        here = [name for name in cut.names if name not in PRIVATE and not empty[name]]
        self._texts = dict(zip(here, self._taken([self.place[name] for name in here]), strict=True))

    def _taken(self, columns: list[int]) -> list[pa.Array]:
        """The values of these keys, in one copy; until then each value, and each gap, is a text over the page."""
        cut, count = self.cut, len(self.cut)
        ends = np.stack([cut.begin, cut.end], axis=2).reshape(-1).astype(np.int32)
        pieces = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(cut.text))
        places = np.arange(count, dtype=np.int32) * len(cut.names) + np.array(columns, np.int32)[:, None]
        found = pieces.take(pa.array(2 * places.reshape(-1), mask=self.null[:, columns].T.reshape(-1)))
        return [found.slice(place * count, count) for place in range(len(columns))]

    def present(self, name: str) -> bool:
        """Whether any item has this key with a value."""
        return name in self._texts

    def filled(self, name: str) -> bool:
        """Whether any item has this key with more than an empty value."""
        if name not in self.place:
            return False
        column = self.place[name]
        length, quoted = self.cut.end[:, column] - self.cut.begin[:, column], self.cut.quoted[:, column]
        return bool((~self.null[:, column] & (length != np.where(quoted, 0, 2))).any())

    def text(self, name: str, *, quoted: bool = False) -> pa.StringArray:
        """The values of a key; those in ``quoted`` ones must be texts."""
        found = self._texts[name]
        if quoted and not self._plain[name]:
            raise UnusualError(name)
        if self.odd and pc.any(pc.match_substring(found, "\\")).as_py():
            raise UnusualError(name)
        return found

    def instants(self, name: str, kind: pa.DataType) -> pa.Array:
        """The values of a key as dates and times of these years; of their marks, those that Arrow leaves open."""
        column = self.place[name]
        begin, here = self.cut.begin[:, column], ~self.null[:, column]
        begin = begin[here]
        usual = (self.cut.end[:, column][here] - begin == _WIDTH) & self.cut.quoted[:, column][here]
        if not usual.all() or any((self._letters[begin + at] != mark).any() for at, mark in _MARKS):
            raise UnusualError(name)
        found = pc.cast(self.text(name), kind)
        bounds = pc.min_max(found.view(pa.int64())).as_py()
        if not _YEARS[0] <= bounds["min"] <= bounds["max"] < _YEARS[1]:
            raise UnusualError(name)
        return found


def _column(page: _Page, name: str, kind: pa.DataType) -> pa.Array:
    if not page.present(name):
        return _nothing(kind, len(page.cut))
    if pa.types.is_string(kind):
        if page.longest[name] > LONGEST_TEXT:
            raise UnusualError(name)
        text = page.text(name, quoted=True)
        return pc.utf8_lower(text) if name in FOLDED else text
    if pa.types.is_timestamp(kind):
        return page.instants(name, kind)
    text = page.text(name)
    _match(text, _PATTERNS[kind])
    if pa.types.is_boolean(kind):
        return pc.equal(pc.utf8_lower(text), "true")
    return pc.cast(text, kind)


@lru_cache(256)
def _nothing(kind: pa.DataType, count: int) -> pa.Array:
    return pa.nulls(count, kind)


def _match(text: pa.Array, pattern: str) -> None:
    if pc.all(pc.match_substring_regex(text, pattern)).as_py() is False:
        raise UnusualError(pattern)


def _recipients(page: _Page) -> pa.Array:
    count = len(page.cut)
    if not page.present(GROUP):
        return pa.array(np.ones(count, np.int32))
    group = page.text(GROUP)
    _match(group, _GROUP_OF_TEXTS)
    quotes = pc.fill_null(pc.count_substring(group, '"'), 0).to_numpy(zero_copy_only=False)
    return pa.array(np.maximum(1, quotes // 2).astype(np.int32))


def _extra(page: _Page, known: set[str]) -> pa.Array:
    """The values of unknown keys as one JSON object an item, in the order of the keys."""
    count = len(page.cut)
    names = sorted(name for name in page.cut.names if name not in known and page.present(name))
    if not names:
        return _nothing(pa.string(), count)
    members: list[Any] = []
    for name in names:
        values = page.text(name)
        quotes = pa.array(np.where(page.cut.quoted[:, page.place[name]], '"', ""))
        values = pc.binary_join_element_wise(quotes, values, quotes, "")
        _match(pa.array([name]), _NAME)
        _match(values, _PLAIN)
        members.append(pc.binary_join_element_wise(pa.scalar(f'"{name}":'), values, ""))
    joined = pc.binary_join_element_wise(*members, ",", null_handling="skip")
    if pc.max(pc.binary_length(joined)).as_py() > LONGEST_EXTRA - 2:
        raise UnusualError("extra")
    whole = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(pc.equal(joined, ""), None, whole)
