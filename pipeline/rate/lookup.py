"""Finds the longest prefix in force for whole columns of numbers at once.

A plan's prefixes are nested intervals of numbers. Flattened, they are one sorted list of points, each with the row
that holds from there on; finding a number's row is one binary search. A number is a key: its first digits, filled up
with zeros to as many as the longest prefix has, and then how many digits it has, so that 44 is before 440 and inside
44 alone. What is found of a row is its terms and, because the prefix is how the number begins, the length of that:
neighbours that say the same are one. The lists of all plans stand one after the other, each in a slot of its own; a
plan whose rows begin or end during the day at hand has a slot for each piece of the day.

``sql/rate/steps/plain.sql`` says the same in plain SQL, one row at a time: that is what a user may read and copy,
and what is used where the keys of very long prefixes or very many plans would not fit into 63 bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Ints = np.ndarray[Any, np.dtype[np.integer]]
NONE, SPECIAL = 0, -1
_LENGTHS = 16
# As many pieces of time of a plan as days are rated at once, and one more.
_KEPT = 3
_KEY_LIMIT = 2**62
_STEP = 64
_HALVES = (32, 16, 8, 4, 2, 1)
_TIME_BITS = 44
_TIME_ZERO = 2 ** (_TIME_BITS - 1)


@dataclass(frozen=True, slots=True)
class Flat:
    """Sorted points; from each on (to the next) the row named holds: its terms and the length of its prefix."""

    points: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class _Plan:
    """The rows of a plan as intervals of keys and of time, and the instants at which a row begins or ends."""

    begin: Ints
    end: Ints
    length: Ints
    row: Ints
    from_ms: Ints
    to_ms: Ints
    cuts: Ints

    def at(self, ms: int) -> Flat:
        held = (self.from_ms <= ms) & (ms < self.to_ms)
        return flattened(self.begin[held], self.end[held], self.length[held], self.row[held])


EMPTY = Flat(np.zeros(1, np.int64), np.zeros(1, np.int32))


@dataclass(slots=True)
class Prefixes:
    """The rows of the plans of a run, and what of them is flattened: for all threads."""

    digits: int
    plans: dict[int, _Plan]
    _flats: dict[int, dict[int, Flat]] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def begins(self, key: int, first_ms: int, last_ms: int) -> list[int]:
        """The first instant, and those after it at which a row of a plan begins or ends."""
        cuts = self.plans[key].cuts if key in self.plans else np.zeros(0, np.int64)
        return [first_ms, *cuts[(first_ms < cuts) & (cuts <= last_ms)].tolist()]

    def epoch(self, key: int, at: int) -> int:
        """The number of the piece of time, between two such instants of a plan."""
        return int(np.searchsorted(self.plans[key].cuts, at, side="right")) if key in self.plans else 0

    def flat(self, key: int, epoch: int, at: int) -> Flat:
        """What holds of a plan in a piece of time, which ``at`` lies in; the last few pieces are kept."""
        if key not in self.plans:
            return EMPTY
        with self._making:
            known = self._flats.setdefault(key, {})
            if epoch not in known:
                for old in list(known)[: 1 - _KEPT]:
                    del known[old]
                known[epoch] = self.plans[key].at(at)
            return known[epoch]


@dataclass(slots=True)
class Lookup:
    """The flattened plans of the day at hand, one after the other."""

    prefixes: Prefixes
    _slots: Ints = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    _base: Ints | None = field(default=None, repr=False)
    _day: Flat = field(default=EMPTY, repr=False)
    _every: Ints = field(default_factory=lambda: np.zeros(1, np.int64), repr=False)
    _laid: tuple[tuple[int, int], ...] = ()

    @property
    def stride(self) -> int:
        """The keys of one slot."""
        return int(10**self.prefixes.digits) * _LENGTHS

    def lay_out(self, plan_keys: Iterable[int], first_ms: int, last_ms: int) -> bool:
        """Makes ready for calls on these plans that start within these two instants; False where it cannot."""
        known = self.prefixes
        pieces = [(key, begin) for key in sorted(plan_keys) for begin in known.begins(key, first_ms, last_ms)]
        laid = tuple((key, known.epoch(key, begin)) for key, begin in pieces)
        if known.digits >= _LENGTHS or len(pieces) * self.stride >= _KEY_LIMIT:
            return False
        if laid == self._laid or not pieces:
            return True
        flats = [known.flat(key, epoch, begin) for (key, begin), (_, epoch) in zip(pieces, laid, strict=True)]
        base = np.arange(len(flats), dtype=np.int64) * self.stride
        points = [flat.points + start for flat, start in zip(flats, base, strict=True)]
        times = [0 if begin == first_ms else _time(begin) for _, begin in pieces]
        self._slots = np.array([(key << _TIME_BITS) + at for (key, _), at in zip(pieces, times, strict=True)])
        points.append(np.full(_STEP, _KEY_LIMIT))
        self._day = Flat(np.concatenate(points), np.concatenate([flat.rows for flat in flats]))
        self._every = self._day.points[: len(self._day.rows) : _STEP].copy()
        self._base = self._bases(pieces, base)
        self._laid = laid
        return True

    def find(self, plan_key: pa.Array, number_key: pa.Array, start_ms: pa.Array) -> pa.Array:
        """The rows that hold: what DuckDB calls, some thousand records at a time."""
        if self._base is not None:
            base = self._base.take(plan_key.to_numpy(zero_copy_only=False))
        else:
            slot = np.searchsorted(self._slots, _slot_keys(plan_key, start_ms), side="right") - 1
            base = slot * self.stride
        keys = base + number_key.to_numpy(zero_copy_only=False)
        row = self._day.rows[self._places(keys)]
        columns = [pa.array(row // _LENGTHS, pa.int32()), pa.array(row % _LENGTHS, pa.int32())]
        return pa.StructArray.from_arrays(columns, ["term_id", "prefix_length"])

    def _places(self, keys: Ints) -> Ints:
        """The last point that is no greater than each key: first by every so-manieth point, then by halving the rest.

        The millions of points of a large deck lie far from the processor, and these few near it.
        """
        places = (np.searchsorted(self._every, keys, side="right") - 1) * _STEP
        for step in _HALVES:
            places += step * (self._day.points[places + step] <= keys)
        return places

    def _bases(self, pieces: list[tuple[int, int]], base: Ints) -> Ints | None:
        """Where each plan's keys begin; None where some plan has more than one piece of the day."""
        keys = [key for key, _ in pieces]
        if len(set(keys)) < len(keys):
            return None
        bases = np.zeros(max(keys) + 1, np.int64)
        bases[keys] = base
        return bases


def prefixes(deck: pa.Table) -> Prefixes:
    """The rows of ``deck``: term_id, plan_key, prefix, is_special, from_ms, to_ms."""
    length = pc.utf8_length(deck["prefix"]).to_numpy()
    digits = int(length.max(initial=1))
    if digits >= _LENGTHS or not len(deck):
        return Prefixes(digits, {})
    heads = pc.cast(pc.utf8_rpad(deck["prefix"], digits, "0"), pa.int64()).to_numpy()
    term = np.where(deck["is_special"].to_numpy(), SPECIAL, deck["term_id"].to_numpy())
    row = (term * _LENGTHS + length).astype(np.int32)
    begin = heads * _LENGTHS + length
    end = (heads + 10 ** (digits - length).astype(np.int64)) * _LENGTHS
    columns = [begin, end, length, row, deck["from_ms"].to_numpy(), deck["to_ms"].to_numpy()]
    plan_key = deck["plan_key"].to_numpy()
    # Nested intervals in the order of their beginnings, the outer before the inner.
    order = np.lexsort((length, begin, plan_key))
    keys, starts = np.unique(plan_key[order], return_index=True)
    groups = [np.split(column[order], starts[1:]) for column in columns]
    plans = {int(k): _plan(*parts) for k, *parts in zip(keys, *groups, strict=True)}
    return Prefixes(digits, plans)


def flattened(begin: Ints, end: Ints, length: Ints, row: Ints) -> Flat:
    """Nested intervals, in the order of their beginnings, as one sorted list of what holds from each point on."""
    points = _distinct(np.concatenate([begin, end, np.zeros(1, np.int64)]))
    rows = np.zeros(len(points), np.int32)
    for each in _distinct(length):
        own = length == each
        first, last, name = begin[own], end[own], row[own]
        at = np.searchsorted(first, points, side="right") - 1
        inside = (at >= 0) & (points < last[at])
        rows[inside] = name[at[inside]]
    changes = np.concatenate([np.ones(1, bool), rows[1:] != rows[:-1]])
    return Flat(points[changes], rows[changes])


def _distinct(values: Ints) -> Ints:
    """The values once each, in order; by sorting, which is quicker here than numpy's own way."""
    ordered = np.sort(values)
    found: Ints = ordered[np.concatenate([np.ones(min(1, len(ordered)), bool), ordered[1:] != ordered[:-1]])]
    return found


def _plan(begin: Ints, end: Ints, length: Ints, row: Ints, from_ms: Ints, to_ms: Ints) -> _Plan:
    return _Plan(begin, end, length, row, from_ms, to_ms, _distinct(np.concatenate([from_ms, to_ms])))


def _slot_keys(plan_key: pa.Array, start_ms: pa.Array) -> Ints:
    when = np.clip(start_ms.to_numpy(zero_copy_only=False) + _TIME_ZERO, 0, 2 * _TIME_ZERO - 1)
    keys: Ints = (plan_key.to_numpy(zero_copy_only=False).astype(np.int64) << _TIME_BITS) + when
    return keys


def _time(ms: int) -> int:
    return int(min(max(ms + _TIME_ZERO, 0), 2 * _TIME_ZERO - 1))
