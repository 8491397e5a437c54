"""Rows that wait for their commit, on disk: what is landed together does not lie in memory together.

A commit is worth its while from tens of thousands of records on, at half a kilobyte and more each. Whether a record is
new and where it goes, three short columns say; only these are read for all of them at once. The rest is read a piece
at a time, in the order in which it goes into files. Records mostly come in order, or in pages each of which is in
order; so the rows of a piece were written down near to one another, and little else is read for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
import pyarrow as pa

from pipeline.land.unnamed import Unnamed

# How many rows are a piece.
PIECE = 5_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in an order: ``keys``, the columns that decide, lie in memory, and all columns are read when asked for.

    ``read`` gives a range of rows as they were written down. Of those, these are the ones from ``begin`` on, or the
    ones at ``places``.
    """

    keys: pa.Table
    read: Callable[[int, int], Iterator[pa.Table]]
    begin: int = 0
    places: pl.Series | None = None

    @classmethod
    def of(cls, rows: pa.Table, keys: Sequence[str]) -> "Rows":
        """Rows that are in memory anyhow."""
        return cls(rows.select(keys), lambda begin, end: iter([rows.slice(begin, end - begin)]))

    def __len__(self) -> int:
        return len(self.keys)

    def slice(self, begin: int, count: int | None = None) -> "Rows":
        """The rows from one on, so many of them."""
        places = None if self.places is None else self.places.slice(begin, count)
        return replace(self, keys=self.keys.slice(begin, count), begin=self.begin + begin, places=places)

    def sorted(self, by: Sequence[str]) -> "Rows":
        """The same rows in the order of these columns; where the first two rise, as they are."""
        order = _order(self.keys, by)
        if order is None:
            return self
        places = order + self.begin if self.places is None else self.places.gather(order)
        return replace(self, keys=self.keys.take(order.to_arrow()), places=places)

    def each(self, change: Callable[[pa.Table], pa.Table]) -> "Rows":
        """The same rows, changed when they are read; what decides stays as it is."""
        return replace(self, read=lambda begin, end: map(change, self.read(begin, end)))

    def pieces(self) -> Iterator[pa.Table]:
        """All of them in their order, a piece at a time."""
        if self.places is None:
            yield from self.read(self.begin, self.begin + len(self))
            return
        for begin in range(0, len(self), PIECE):
            places = self.places.slice(begin, PIECE).to_numpy()
            first = int(places.min())
            near = pa.concat_tables(self.read(first, int(places.max()) + 1))
            yield near.take(pa.array(places - first))

    def whole(self) -> pa.Table:
        """All of them in their order, in memory."""
        return pa.concat_tables([*self.pieces()])


def sorted_rows(rows: pa.Table, by: Sequence[str]) -> pa.Table:
    """What ``Rows.sorted`` is, of rows in memory."""
    order = _order(rows, by)
    return rows if order is None else rows.combine_chunks().take(order.to_arrow())


def _order(rows: pa.Table, by: Sequence[str]) -> pl.Series | None:
    """The places of rows in the order of these columns; None where the first two rise."""
    keys = pl.DataFrame(rows.select(by))
    at, sid = keys.get_columns()[:2]
    rising = (at.shift(1) < at) | ((at.shift(1) == at) & (sid.shift(1) < sid))
    if rising.fill_null(value=True).all():
        return None
    return keys.select(pl.arg_sort_by(*by)).to_series()


Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """How many rows were written down together, and where: the columns that decide, and all of them."""

    rows: int
    keys: Place
    whole: Place


@dataclass(slots=True)
class Waiting:
    """Rows of one schema in the order in which they came; ``deciding`` are the columns that decide."""

    schema: pa.Schema
    deciding: Sequence[str]
    _pieces: list[_Piece] = field(default_factory=list)
    _disk: Unnamed = field(default_factory=Unnamed)

    def add(self, rows: pa.Table) -> None:
        """Writes rows down.

        Raises:
            LakeError: there is no room for them.
        """
        for batch in rows.to_batches(max_chunksize=PIECE):
            keys = self._write(batch.select(self.deciding))
            self._pieces.append(_Piece(len(batch), keys, self._write(batch)))

    def rows(self) -> Rows:
        """What waits, until it is cleared."""
        schema = pa.schema([self.schema.field(name) for name in self.deciding])
        keys = [self._loaded(piece.keys, schema) for piece in self._pieces]
        return Rows(pa.Table.from_batches(keys, schema), self._read)

    def clear(self) -> None:
        """Drops what waits, and gives its room back."""
        self._pieces.clear()
        self._disk.clear()

    def _read(self, begin: int, end: int) -> Iterator[pa.Table]:
        first = 0
        for piece in self._pieces:
            some = slice(max(begin - first, 0), min(end - first, piece.rows))
            if some.start < some.stop:
                yield pa.Table.from_batches([self._loaded(piece.whole, self.schema)[some]])
            first += piece.rows

    def _write(self, batch: pa.RecordBatch) -> Place:
        return self._disk.append(memoryview(batch.serialize()))

    def _loaded(self, place: Place, schema: pa.Schema) -> pa.RecordBatch:
        return pa.ipc.read_record_batch(pa.py_buffer(self._disk.read(*place)), schema)
