"""The ids that are in each data file, hashed: eight bytes each, on disk, for as long as this process lives.

A file never changes under its name, so its ids are read once, and those of a file that was just written not at all. A
long history has more of them than should lie in memory; so they are in a temporary file that has no name, and are
looked through a few files at a time.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.errors import LakeError
from pipeline.lake.batches import batches
from pipeline.lake.lake import DataFile, Lake

_SIZE = 8
# How many ids are looked through at once, and how many of files that were replaced may lie about.
_TOGETHER = 1 << 19
_SLACK = 1 << 23


@dataclass(slots=True)
class _Hashes:
    """Hashes by data file: from which on they lie in the temporary file, and how many they are."""

    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    end: int = 0
    disk: int | None = None

    def add(self, path: Path, hashes: Sequence[pl.Series]) -> None:
        begin = self.end
        try:
            if self.disk is None:
                with tempfile.TemporaryFile() as unnamed:
                    self.disk = os.dup(unnamed.fileno())
            for some in hashes:
                left = memoryview(some.to_numpy().tobytes())
                while left:
                    written = os.pwrite(self.disk, left, self.end)
                    self.end, left = self.end + written, left[written:]
        except OSError as error:
            self.end = begin
            msg = (
                f"cannot write to {tempfile.gettempdir()}: {error.strerror}. Nothing was committed; make room there, "
                "or name another folder in TMPDIR, and run again."
            )
            raise LakeError(msg) from error
        self.places[path] = (begin, (self.end - begin) // _SIZE)

    def read(self, path: Path) -> pl.Series:
        begin, count = self.places[path]
        if not count:
            return pl.Series("sid", [], pl.UInt64)
        assert self.disk is not None
        return pl.Series("sid", np.frombuffer(os.pread(self.disk, count * _SIZE, begin), np.uint64))

    def forget(self, paths: Sequence[Path]) -> None:
        """Drops the hashes of files that were replaced; all of them, where those take most of the room."""
        for path in paths:
            del self.places[path]
        if self.end > _SIZE * (2 * sum(count for _, count in self.places.values()) + _SLACK):
            self.clear()

    def clear(self) -> None:
        self.places.clear()
        self.end = 0
        if self.disk is not None:
            with suppress(OSError):
                os.close(self.disk)
        self.disk = None


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
