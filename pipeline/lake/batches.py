"""Work in bounded pieces: a day's files together, and so many things at a time that their records fit in memory."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeVar

from pipeline.lake.lake import DataFile
from pipeline.lake.layout import label_day

T = TypeVar("T")


def by_day(files: Iterable[DataFile]) -> dict[date, list[DataFile]]:
    """The files that have records, by their UTC day; those of several tables, and all parts of a day."""
    found: dict[date, list[DataFile]] = {}
    for file in files:
        if file.rows:
            found.setdefault(label_day(file.label), []).append(file)
    return found


def batches(sized: Iterable[tuple[T, int]], most: int) -> Iterator[list[T]]:
    """Things with their numbers of records, in their order: as many together as have ``most`` records, at least one."""
    batch: list[T] = []
    size = 0
    for thing, records in sized:
        if batch and size + records > most:
            yield batch
            batch, size = [], 0
        batch.append(thing)
        size += records
    if batch:
        yield batch
