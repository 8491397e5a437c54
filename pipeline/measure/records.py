"""Records as arrays, and what they add up to by group: what a roll-up is made with.

A text is a place in a dictionary, as it lies in the file, so that no text is looked at for each record; an instant is
milliseconds since the epoch. What records are grouped by becomes one whole number, and that a place in an array to add
to: nothing is sorted or hashed, as long as the numbers are few. Sums are of integers or decimals, and exact.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Places that an array may have while they are told apart, and while rows are added to them.
_MOST, _FEW = 2**21, 2**17
_WIDE, _SIGNED = 2**31, 2**63


@dataclass(frozen=True, slots=True)
class Sum:
    """What to add up: whole numbers, where they are known, and of which decimals they are, if of any."""

    values: np.ndarray
    known: np.ndarray | None = None
    kind: pa.DataType | None = None

    def of(self, rows: np.ndarray) -> "Sum":
        """The numbers of some rows."""
        return Sum(self.values[rows], None if self.known is None else self.known[rows], self.kind)


@dataclass(frozen=True, slots=True)
class Key:
    """What rows are grouped by: the code of each, of ``size`` many. Codes are places among ``values``, or where there
    are none, whole numbers from ``least`` on; with ``null``, the last one stands for null."""

    codes: np.ndarray
    size: int
    null: bool = False
    values: pa.Array | None = None
    least: int = 0

    def decoded(self, codes: np.ndarray) -> pa.Array:
        """The values of some codes."""
        null = codes == self.size - 1 if self.null else None
        if self.values is None:
            return pa.array(codes + self.least, pa.int64(), mask=null)
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=null), self.values)

    def ranked(self) -> "Key":
        """The same, with codes in the order of the values; null is the greatest."""
        if self.values is None:
            return self
        order = pc.sort_indices(self.values).to_numpy()
        ranks = np.arange(self.size)
        ranks[order] = np.arange(len(order))
        return replace(self, codes=ranks[self.codes], values=self.values.take(order))


@dataclass(slots=True)
class Records:
    """Some rows of a table, in which texts are coded. What is asked for is remembered."""

    rows: pa.Table
    _keys: dict[str, Key] = field(default_factory=dict)
    _numbers: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = self.rows.unify_dictionaries().combine_chunks()

    def keys(self, *names: str) -> dict[str, Key]:
        """Columns to group by: texts, whole numbers or flags."""
        for name in names:
            if name not in self._keys:
                self._keys[name] = self._key(name)
        return {name: self._keys[name] for name in names}

    def whole(self, name: str) -> np.ndarray:
        """Whole numbers, decimals without their point, or instants in milliseconds; null is 0."""
        values = self._values(name)
        return values * self.known(name) if self._column(name).null_count else values

    def amounts(self, name: str) -> Sum:
        """Whole numbers or decimals to add up."""
        column = self._column(name)
        kind = column.type if pa.types.is_decimal(column.type) else None
        return Sum(self._values(name), self.known(name) if column.null_count else None, kind)

    def known(self, name: str) -> np.ndarray:
        """Where a column is not null."""
        return _valid(self._column(name))

    def elapsed(self, start: str, end: str) -> np.ndarray:
        """Milliseconds from one instant to another; 0 where either is not known."""
        passed: np.ndarray = self.whole(end) - self.whole(start)
        for name in (start, end):
            if self._column(name).null_count:
                passed *= self.known(name)
        return passed

    def _column(self, name: str) -> pa.Array:
        return self.rows[name].chunk(0) if len(self.rows) else self.rows[name].combine_chunks()

    def _values(self, name: str) -> np.ndarray:
        """What stands where it is null is anything."""
        if name not in self._numbers:
            column = self._column(name)
            if pa.types.is_decimal(column.type):
                self._numbers[name] = _unscaled(column)
            else:
                kind = np.int32 if pa.types.is_int32(column.type) else np.int64
                self._numbers[name] = np.frombuffer(column.buffers()[1], kind)[column.offset :][: len(column)]
        return self._numbers[name]

    def _key(self, name: str) -> Key:
        column = self._column(name)
        if pa.types.is_dictionary(column.type):
            size = len(column.dictionary)
            codes = np.frombuffer(column.indices.buffers()[1], np.int32)[column.offset :][: len(column)]
            if column.null_count:
                known = _valid(column.indices)
                return Key(codes * known + ~known * np.int32(size), size + 1, True, column.dictionary)
            return Key(codes, size, False, column.dictionary)
        if pa.types.is_boolean(column.type):
            return numbers(_bits(column, 1).astype(np.int32), _valid(column))
        return numbers(self.whole(name), _valid(column))


def _valid(column: pa.Array) -> np.ndarray:
    return _bits(column, 0) if column.null_count else np.ones(len(column), np.bool_)


def _bits(column: pa.Array, buffer: int) -> np.ndarray:
    bits = np.unpackbits(np.frombuffer(column.buffers()[buffer], np.uint8), bitorder="little")
    return bits[column.offset :][: len(column)].view(np.bool_)


def _unscaled(column: pa.Array) -> np.ndarray:
    """Decimals without their point: in 64 bits where they all fit, else as whole numbers of any size."""
    halves = np.frombuffer(column.buffers()[1], np.int64)[2 * column.offset :][: 2 * len(column)]
    low, high = halves[::2], halves[1::2]
    if high.any() or low.min(initial=0) < 0:
        wide = high != low >> 63
        if column.null_count:
            wide &= _valid(column)
        if wide.any():
            return (high.astype(object) << 64) + low.view(np.uint64)
    return low.copy()


def numbers(values: np.ndarray, known: np.ndarray | None = None) -> Key:
    """Whole numbers to group by; what is not known is null."""
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    codes, size = values - least, most - least + 1
    if size < _WIDE:
        codes = codes.astype(np.int32, copy=False)
    if known is None or known.all():
        return Key(codes, size, least=least)
    return Key(np.where(known, codes, size), size + 1, True, least=least)


def tallied(
    keys: Mapping[str, Key],
    sums: Mapping[str, np.ndarray | Sum],
    count: str | None = None,
    least: Mapping[str, Key] | None = None,
) -> pa.Table:
    """A row for each group, in the order of the codes: its keys, the sum of each of ``sums`` (null where all are), how
    many rows it has, and the least value of each of ``least``. It is quickest where a key that tells little about the
    others comes late."""
    places = _Places.of(keys.values())
    rows = np.bincount(places.rows, minlength=places.size)
    there = np.flatnonzero(rows)
    codes = zip(keys.items(), places.codes(there), strict=True)
    made = {name: key.decoded(own) for (name, key), own in codes}
    for name, key in (least or {}).items():
        ranked = key.ranked()
        found = np.full(places.size, ranked.size - 1)
        np.minimum.at(found, places.rows, ranked.codes.astype(np.int64))
        made[name] = ranked.decoded(found[there])
    for name, each in sums.items():
        made[name] = places.added(each if isinstance(each, Sum) else Sum(each)).take(pa.array(there))
    return pa.table(made | ({count: rows[there]} if count else {}))


def merged(parts: Sequence[pa.Table], keys: Sequence[str], least: Sequence[str] = ()) -> pa.Table:
    """What parts of the same records have been tallied to, as one, in the order of the keys, nulls last; a part that
    lacks a column has nulls there."""
    whole = Records(pa.concat_tables(parts, promote_options="default"))
    ranked = {name: key.ranked() for name, key in whole.keys(*keys).items()}
    sums = {name: whole.amounts(name) for name in whole.rows.column_names if name not in {*keys, *least}}
    return tallied(ranked, sums, None, whole.keys(*least))


def constant(table: pa.Table, name: str, value: str) -> pa.Table:
    """The table with a text that all of its rows share."""
    same = np.zeros(len(table), np.int32)
    return put(table, name, pa.DictionaryArray.from_arrays(pa.array(same), pa.array([value])))


def put(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with a column in the place of the one of that name, or as its last."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


@dataclass(slots=True)
class _Places:
    """Where in an array each row adds to its group: ``rows`` says, and ``sizes`` how many codes of each key there may
    be. Those of the first are groups of the keys before, whose codes are ``before``."""

    rows: np.ndarray
    sizes: list[int]
    before: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def of(cls, keys: Collection[Key]) -> "_Places":
        """A place for each combination of codes, in their order."""
        found = cls(np.zeros(len(next(iter(keys)).codes), np.int32), [1])
        for key in keys:
            found._tell_apart(key)
        if found.size > _FEW:
            found._close_up()
        found.rows = found.rows.astype(np.intp)
        return found

    @property
    def size(self) -> int:
        return prod(self.sizes)

    def codes(self, places: np.ndarray) -> list[np.ndarray]:
        """The codes of some places, by key."""
        group, *own = np.unravel_index(places, self.sizes)
        return [*(codes[group] for codes in self.before), *own]

    def added(self, each: Sum) -> pa.Array:
        """The sum of each place."""
        rows, values = self.rows, each.values
        if each.known is not None:
            known = np.flatnonzero(each.known)
            rows, values = rows.take(known), values.take(known)
        most = max(int(values.max()), -int(values.min())) if len(values) else 0
        total = np.zeros(self.size, object if most * len(values) >= _SIGNED else np.int64)
        np.add.at(total, rows, values.astype(total.dtype, copy=False))
        null = None
        if each.known is not None:
            null = np.ones(self.size, np.bool_)
            null[rows] = False
        return _array(total, null, each.kind)

    def _tell_apart(self, key: Key) -> None:
        """By one more key."""
        if self.size * key.size > _MOST:
            self._close_up()
        if self.size * key.size > _MOST:
            one = np.zeros(self.size, key.codes.dtype)
            one[self.rows] = key.codes
            if (one.take(self.rows) == key.codes).all():
                # The keys before decide this one.
                self.before.append(one)
                return
        if self.size * key.size >= _WIDE:
            self.rows = self.rows.astype(np.int64)
        if key.size > 1:
            self.rows = self.rows * key.size + key.codes
        self.sizes.append(key.size)
        if self.size > _MOST:
            self._close_up()

    def _close_up(self) -> None:
        """Leaves the places out that no row adds to."""
        if self.size <= _MOST:
            taken = np.zeros(self.size, np.bool_)
            taken[self.rows] = True
            places = np.flatnonzero(taken)
            group = np.empty(self.size, np.int32)
            group[places] = np.arange(len(places), dtype=np.int32)
            self.rows = group.take(self.rows)
        else:
            coded = pa.array(self.rows).dictionary_encode()
            places = coded.dictionary.to_numpy()
            order = np.argsort(places)
            group = np.empty(len(places), np.int32)
            group[order] = np.arange(len(places), dtype=np.int32)
            self.rows, places = group.take(coded.indices.to_numpy()), places[order]
        self.before, self.sizes = self.codes(places), [len(places)]


def _array(total: np.ndarray, null: np.ndarray | None, kind: pa.DataType | None) -> pa.Array:
    if kind is None:
        return pa.array(total, pa.int64(), mask=null)
    low, high = total, total >> 63
    if total.dtype == object:
        low, high = (total & (2**64 - 1)).astype(np.uint64).view(np.int64), (total >> 64).astype(np.int64)
    known = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    halves = pa.py_buffer(np.stack([low, high], axis=1))
    return pa.Array.from_buffers(pa.decimal128(38, kind.scale), len(total), [known, halves])
