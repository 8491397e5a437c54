"""The values of cut pages as Arrow texts by key: copied out page by page, then looked at several pages together.

A page lies in the processor's cache while its values are copied out of it, so that is done for each alone. What types
a column costs nearly as much for one value as for a thousand, so that is done for many pages at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.domain.cursor import PRIVATE, Cut


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Values of items that all have the same keys.

    ``values`` has the keys of which any item has a value, private ones left out; ``plain`` those whose values are all
    in quotes, ``longest`` the length of their longest. ``quoted`` is an array of items by keys; ``private`` says
    whether any private value is more than an empty one, ``odd`` whether a backslash is anywhere.
    """

    names: tuple[str, ...]
    count: int
    values: dict[str, pa.StringArray]
    plain: frozenset[str]
    longest: dict[str, int]
    quoted: Any
    private: bool
    odd: bool

    def in_quotes(self, name: str) -> np.ndarray:
        """Which values of a key stand in quotes."""
        found: np.ndarray = self.quoted[:, self.names.index(name)]
        return found


def texts(cut: Cut) -> Texts:
    """The values of a page."""
    here = ~cut.null.all(axis=0)
    filled = [place for place, name in enumerate(cut.names) if here[place] and name not in PRIVATE]
    longest = (cut.end - cut.begin).max(axis=0).tolist()
    plain = (cut.quoted | cut.null).all(axis=0)
    return Texts(
        cut.names,
        len(cut),
        dict(zip((cut.names[place] for place in filled), _taken(cut, filled), strict=True)),
        frozenset(name for name, only in zip(cut.names, plain.tolist(), strict=True) if only),
        dict(zip(cut.names, longest, strict=True)),
        cut.quoted,
        any(_more_than_empty(cut, place) for place, name in enumerate(cut.names) if name in PRIVATE),
        b"\\" in cut.text,
    )


def joined(pages: Sequence[Texts]) -> Texts:
    """Pages with the same keys as one."""
    first = pages[0]
    if len(pages) == 1:
        return first
    filled = [name for name in first.names if any(name in page.values for page in pages)]
    return Texts(
        first.names,
        sum(page.count for page in pages),
        {name: pa.concat_arrays([_values(page, name) for page in pages]) for name in filled},
        frozenset.intersection(*(page.plain for page in pages)),
        {name: max(page.longest[name] for page in pages) for name in first.names},
        np.concatenate([page.quoted for page in pages]),
        any(page.private for page in pages),
        any(page.odd for page in pages),
    )


def _values(page: Texts, name: str) -> pa.Array:
    return page.values[name] if name in page.values else pa.nulls(page.count, pa.string())


def _taken(cut: Cut, columns: list[int]) -> list[pa.Array]:
    """The values of these keys, in one copy; until then each value, and each gap, is a text over the page."""
    count = len(cut)
    ends = np.empty((*cut.begin.shape, 2), np.int32)
    ends[:, :, 0], ends[:, :, 1] = cut.begin, cut.end
    ends = ends.reshape(-1)
    pieces = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(cut.text))
    places = np.arange(count, dtype=np.int32) * len(cut.names) + np.array(columns, np.int32)[:, None]
    found = pieces.take(_indices(2 * places.reshape(-1), ~cut.null[:, columns].T.reshape(-1)))
    return [found.slice(place * count, count) for place in range(len(columns))]


def _indices(places: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Places as Arrow's; ``pa.array`` would load a part of numpy that takes as long as to read thirty pages."""
    bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.int32(), len(places), [bits, pa.py_buffer(places)])


def _more_than_empty(cut: Cut, place: int) -> bool:
    length = cut.end[:, place] - cut.begin[:, place]
    return bool((~cut.null[:, place] & (length != np.where(cut.quoted[:, place], 0, 2))).any())
