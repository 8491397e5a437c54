"""The ids that are in each data file, hashed: eight bytes each, on disk, for as long as this process lives.

A file never changes under its name, so its ids are read once, and those of a file that was just written not at all. A
long history has more of them than should lie in memory; so they are in a temporary file that has no name, and are
looked through a few files at a time.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipeline.lake.batches import batches
from pipeline.lake.lake import DataFile, Lake
from pipeline.land.unnamed import Unnamed

_SIZE = 8
# How many ids are looked through at once, and how many of files that were replaced may lie about.
_TOGETHER = 1 << 19
_SLACK = 1 << 23
_NONE = pl.Series("sid", [], pl.UInt64)


@dataclass(slots=True)
class _Hashes:
    """Hashes by data file: from which on they lie in the temporary file, and how many they are."""

    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    disk: Unnamed = field(default_factory=Unnamed)

    def add(self, path: Path, hashes: Sequence[pl.Series]) -> None:
        whole = pl.concat([_NONE, *hashes])
        begin, _ = self.disk.append(memoryview(whole.to_numpy().tobytes()))
        self.places[path] = (begin, len(whole))

    def read(self, path: Path) -> pl.Series:
        begin, count = self.places[path]
        hashes = pa.py_buffer(self.disk.read(begin, count * _SIZE) if count else b"")
        return pl.Series("sid", pa.Array.from_buffers(pa.uint64(), count, [None, hashes]))

    def forget(self, paths: Sequence[Path]) -> None:
        """Drops the hashes of files that were replaced; all of them, where those take most of the room."""
        for path in paths:
            del self.places[path]
        if self.disk.size > _SIZE * (2 * sum(count for _, count in self.places.values()) + _SLACK):
            self.clear()

    def clear(self) -> None:
        self.places.clear()
        self.disk.clear()


_known = _Hashes()
# What a process has written, its child must not write over.
os.register_at_fork(after_in_child=_known.clear)


def hashed(sids: pl.Series) -> pl.Series:
    """Ids as they are looked up."""
    return sids.hash().rename("sid")


def remember(path: Path, hashes: Sequence[pl.Series]) -> None:
    """Takes note of the ids of a file that was just written, so that nobody has to read it for them."""
    _known.add(path, hashes)


def known(lake: Lake, files: Sequence[DataFile]) -> Iterator[tuple[list[DataFile], pl.Series]]:
    """The hashes of these live files of a table, as many files at a time as are looked through at once."""
    _forget(files)
    for some in batches(((file, file.rows) for file in files), _TOGETHER):
        yield some, pl.concat([_sids(lake, file) for file in some], rechunk=False)


def _sids(lake: Lake, file: DataFile) -> pl.Series:
    if file.path not in _known.places:
        column = lake.scan_files(file.table, [file]).select("dr_sid").collect().to_series()
        _known.add(file.path, [hashed(column)])
    return _known.read(file.path)


def _forget(files: Sequence[DataFile]) -> None:
    live = {file.path for file in files}
    folders = {path.parent for path in live}
    _known.forget([path for path in _known.places if path.parent in folders and path not in live])
