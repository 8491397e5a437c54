"""The records of a page by secure id and sort value: what a walk and its bookmark stand on, without looking at items.

A page is a thousand records, of which a bookmark wants one. So they stay two arrays, and only what is asked for
becomes text and time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipeline.domain.cursor import Cut, instant

Edge = tuple[str, datetime]
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The usual date, 2026-03-01T15:32:15.589Z, and which of its letters are digits.
_USUAL = np.frombuffer(b"0000-00-00T00:00:00.000Z", np.uint8)
_DIGITS = np.equal(_USUAL, ord("0"))


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Records of a page in its order: ``sids`` as bytes, ``values`` in microseconds."""

    sids: Any
    values: Any

    def __len__(self) -> int:
        return len(self.values)

    @property
    def first(self) -> Edge:
        return self._at(0)

    @property
    def last(self) -> Edge:
        return self._at(-1)

    @property
    def oldest(self) -> Edge:
        return self._at(self.values.argmin())

    @property
    def newest(self) -> Edge:
        return self._at(self.values.argmax())

    @property
    def ordered(self) -> bool:
        """Whether the values never fall."""
        return bool((self.values[1:] >= self.values[:-1]).all())

    def newest_until(self, bound: datetime) -> Edge | None:
        """The newest that is not after ``bound``."""
        places = np.flatnonzero(self.values <= _microseconds(bound))
        return self._at(places[self.values[places].argmax()]) if len(places) else None

    def repeats(self, other: "Edges") -> bool:
        """Whether a record of ``other`` is here again at the same value."""
        if not len(self) or not len(other):
            return False
        begin, end = max(self.values.min(), other.values.min()), min(self.values.max(), other.values.max())
        mine, theirs = (
            set(zip(page.sids[near].tolist(), page.values[near].tolist(), strict=True))
            for page in (self, other)
            for near in [(page.values >= begin) & (page.values <= end)]
        )
        return not mine.isdisjoint(theirs)

    def _at(self, place: Any) -> Edge:
        return self.sids[place].decode(), _START + int(self.values[place]) * _MICROSECOND


def edges_of(found: Sequence[Edge]) -> Edges:
    """Records as they were looked at one by one."""
    return Edges(
        _bytes([sid for sid, _ in found]), np.array([_microseconds(at) for _, at in found], np.int64)
    )


def edges_of_cut(cut: Cut, key: str) -> Edges:
    """The records of a page that was cut.

    Raises:
        ValueError: one lacks its id or has no usual time; then each is looked at.
    """
    values = instants_of_cut(cut, key)
    try:
        return Edges(_same_length(cut, "dr_sid"), values)
    except ValueError:
        sids = cut.texts("dr_sid")
        if not all(sids):
            raise
        return Edges(_bytes(sids), values)


def instants_of_cut(cut: Cut, key: str) -> Any:
    """The times under a key of a page that was cut, in microseconds.

    Raises:
        ValueError: one is not written as all are.
    """
    texts = _same_length(cut, key)
    letters = texts.view(np.uint8).reshape(len(texts), -1)
    if letters.shape[1] != len(_USUAL) or (letters[:, ~_DIGITS] != _USUAL[~_DIGITS]).any():
        raise ValueError(key)
    if (letters[:, _DIGITS] - np.uint8(ord("0")) > 9).any():
        raise ValueError(key)
    found = texts.astype("S23").astype("datetime64[us]").astype(np.int64)
    for place in {int(found.argmin()), int(found.argmax())}:
        instant(texts[place].decode())
    return found


def _same_length(cut: Cut, name: str) -> Any:
    """The values of a key as bytes of one length."""
    column = cut.names.index(name)
    begin, length = cut.begin[:, column], cut.end[:, column] - cut.begin[:, column]
    width = int(length[0])
    if not width or (length != width).any() or not cut.quoted[:, column].all():
        raise ValueError(name)
    found = np.ndarray((len(cut.text) - width + 1,), f"S{width}", cut.text, strides=(1,))[begin]
    if (found.view(np.uint8) == ord("\\")).any():
        raise ValueError(name)
    return found


def _bytes(sids: Sequence[str]) -> Any:
    found = np.empty(len(sids), object)
    found[:] = [sid.encode() for sid in sids]
    return found


def _microseconds(at: datetime) -> int:
    return (at - _START) // _MICROSECOND
