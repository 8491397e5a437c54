"""The jurisdiction of whole columns of calls at once: ``jurisdiction_of`` of sql/rate/steps/macros.sql, compiled.

Where a number is, its first digits say. Each such head is asked of the domain once and kept in a table with a row for
every head; so is the answer for each two regions.
"""

from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.domain.jurisdiction import HEAD_DIGITS, INDETERMINATE, JURISDICTIONS, Place, between, place_of

Ints = np.ndarray[Any, np.dtype[np.integer]]
_UNSEEN = -1
_REGIONS = 512


class Jurisdictions:
    """Finds jurisdictions, and learns the places of the numbers that it meets."""

    def __init__(self) -> None:
        self._region: Ints = np.full(10**HEAD_DIGITS, _UNSEEN, np.int16)
        self._exchange: Ints = np.zeros(10**HEAD_DIGITS, np.int32)
        self._regions: dict[str | None, int] = {None: 0}
        self._exchanges: dict[str | None, int] = {None: 0}
        self._apart: Ints = np.full((_REGIONS, _REGIONS), JURISDICTIONS.index(INDETERMINATE), np.int8)
        self._near: Ints = self._apart[0].copy()
        self._learning = Lock()

    def find(self, src: pa.Array, dst: pa.Array) -> pa.Array:
        """The place of each jurisdiction in ``JURISDICTIONS``, for two columns of heads; 0 is no head."""
        a, b = src.to_numpy(zero_copy_only=False), dst.to_numpy(zero_copy_only=False)
        for heads in (a, b):
            if (self._region[heads] == _UNSEEN).any():
                with self._learning:
                    self._learn(heads)
        one, other = self._region[a], self._region[b]
        codes = self._apart[one, other]
        near = (one == other) & (self._exchange[a] != 0) & (self._exchange[a] == self._exchange[b])
        return pa.array(np.where(near, self._near[one], codes))

    def _learn(self, heads: Ints) -> None:
        unseen = heads[self._region[heads] == _UNSEEN]
        for head in np.unique(unseen).tolist():
            place = place_of(f"{head:0{HEAD_DIGITS}}")
            self._exchange[head] = self._exchanges.setdefault(
                place.exchange if place else None, len(self._exchanges)
            )
            self._region[head] = self._number(place)

    def _number(self, place: Place | None) -> int:
        region = place.region if place else None
        if region is not None and region not in self._regions:
            new = len(self._regions)
            self._regions[region] = new
            for known, at in self._regions.items():
                if known is not None:
                    code = JURISDICTIONS.index(between(Place(known), Place(region)))
                    self._apart[new, at] = self._apart[at, new] = code
            self._near[new] = JURISDICTIONS.index(between(Place(region, "same"), Place(region, "same")))
        return self._regions[region]


@cache
def jurisdictions() -> Jurisdictions:
    """The one of this process: places do not change while it lives."""
    return Jurisdictions()
