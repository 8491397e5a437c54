"""Records as arrays, and what they add up to by group: what a roll-up is made with.

A text is a place in a dictionary, as it lies in the file, so that no text is looked at for each record; an instant is
milliseconds since the epoch. What records are grouped by becomes one whole number, which takes far less time than to
group by as many texts. Sums are of integers or decimals, and exact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MOST = 2**62
_EACH = pc.ScalarAggregateOptions(min_count=1)


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
        """Whole numbers, decimals of 18 digits without their point, or instants in milliseconds; null is 0."""
        if name not in self._numbers:
            self._numbers[name] = self._whole(name)
        return self._numbers[name]

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

    def steps(self, instant: str, length: int) -> Key:
        """The hours or days of instants, counted from the epoch."""
        name = f"{instant} / {length}"
        if name not in self._keys:
            self._keys[name] = numbers(self.whole(instant) // length)
        return self._keys[name]

    def _column(self, name: str) -> pa.Array:
        return self.rows[name].chunk(0) if len(self.rows) else self.rows[name].combine_chunks()

    def _whole(self, name: str) -> np.ndarray:
        column = self._column(name)
        width = 2 if pa.types.is_decimal(column.type) else 1
        kind = np.int32 if pa.types.is_int32(column.type) else np.int64
        # Of the 128 bits of a decimal, the lower half comes first and holds 18 digits.
        values = np.frombuffer(column.buffers()[1], kind)[width * column.offset :: width][: len(column)]
        return values * _valid(column) if column.null_count else values

    def _key(self, name: str) -> Key:
        column = self._column(name)
        if pa.types.is_dictionary(column.type):
            size = len(column.dictionary)
            codes = np.frombuffer(column.indices.buffers()[1], np.int32)[column.offset :][: len(column)]
            if column.null_count:
                return Key(np.where(_valid(column.indices), codes, size), size + 1, True, column.dictionary)
            return Key(codes, size, False, column.dictionary)
        if pa.types.is_boolean(column.type):
            return numbers(_bits(column, 1).astype(np.int32), _valid(column))
        return numbers(self.whole(name), _valid(column))


def _valid(column: pa.Array) -> np.ndarray:
    return _bits(column, 0) if column.null_count else np.ones(len(column), np.bool_)


def _bits(column: pa.Array, buffer: int) -> np.ndarray:
    bits = np.unpackbits(np.frombuffer(column.buffers()[buffer], np.uint8), bitorder="little")
    return bits[column.offset :][: len(column)].view(np.bool_)


def numbers(values: np.ndarray, known: np.ndarray | None = None) -> Key:
    """Whole numbers to group by; what is not known is null."""
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    codes, size = values.astype(np.int64) - least, most - least + 1
    if known is None or known.all():
        return Key(codes, size, least=least)
    return Key(np.where(known, codes, size), size + 1, True, least=least)


def tallied(
    keys: Mapping[str, Key],
    sums: Mapping[str, np.ndarray | pa.ChunkedArray],
    count: str | None = None,
    least: Mapping[str, Key] | None = None,
) -> pa.Table:
    """A row for each group: its keys, the sum of each of ``sums`` (null where all are), how many rows it has, and the
    least value of each of ``least``."""
    place, codes_of = _packed(list(keys.values()))
    ranks = {name: key.ranked() for name, key in (least or {}).items()}
    given = pa.table({"place": place, **sums} | {name: key.codes for name, key in ranks.items()})
    wanted: list[tuple] = [(name, "sum", _EACH) for name in sums] + [(name, "min") for name in ranks]
    wanted += [([], "count_all")] if count else []
    found = given.group_by("place", use_threads=False).aggregate(wanted)
    codes = zip(keys.items(), codes_of(found["place"].to_numpy()), strict=True)
    made = {name: key.decoded(own) for (name, key), own in codes}
    made |= {name: key.decoded(found[f"{name}_min"].to_numpy()) for name, key in ranks.items()}
    made |= {name: found[f"{name}_sum"] for name in sums}
    return pa.table(made | ({count: found["count_all"]} if count else {}))


def merged(parts: Sequence[pa.Table], keys: Sequence[str], least: Sequence[str] = ()) -> pa.Table:
    """What parts of the same records have been tallied to, as one; a part that lacks a column has nulls there."""
    whole = Records(pa.concat_tables(parts, promote_options="default"))
    if len(parts) == 1 and not least:
        return whole.rows
    sums = {name: whole.rows[name] for name in whole.rows.column_names if name not in {*keys, *least}}
    return tallied(whole.keys(*keys), sums, None, whole.keys(*least))


def ordered(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of these columns, nulls last."""
    found = Records(table).keys(*keys).values()
    return table.take(np.argsort(_packed([key.ranked() for key in found])[0], kind="stable"))


def constant(table: pa.Table, name: str, value: str) -> pa.Table:
    """The table with a text that all of its rows share."""
    same = np.zeros(len(table), np.int32)
    return put(table, name, pa.DictionaryArray.from_arrays(pa.array(same), pa.array([value])))


def put(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with a column in the place of the one of that name, or as its last."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


def _packed(keys: Sequence[Key]) -> tuple[np.ndarray, Callable[[np.ndarray], Sequence[np.ndarray]]]:
    """One whole number for each combination of codes, in their order; and the codes of such numbers."""
    sizes = [key.size for key in keys]
    if prod(sizes) < _MOST:
        place = keys[0].codes.astype(np.int64)
        for key in keys[1:]:
            if key.size > 1:
                place *= key.size
                place += key.codes
        return place, lambda places: np.unravel_index(places, sizes)
    # Too many to be told apart by 63 bits: of each half, only the combinations that there are.
    (left, of_left), (right, of_right) = _packed(keys[: len(keys) // 2]), _packed(keys[len(keys) // 2 :])
    (lefts, left), (rights, right) = (np.unique(half, return_inverse=True) for half in (left, right))

    def back(places: np.ndarray) -> Sequence[np.ndarray]:
        one, other = np.divmod(places, len(rights))
        return [*of_left(lefts[one]), *of_right(rights[other])]

    return left * len(rights) + right, back
