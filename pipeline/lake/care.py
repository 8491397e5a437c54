"""Looks after the files: finds damaged ones and sets them aside."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline.errors import LakeError
from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.tables import TABLES

# What only a backup can bring back: issued invoices stand on claims, and old versions are not kept by the provider.
_ONLY_COPY = (
    *("invoice/claims", "invoice/draws", "invoice/parts", "invoice/adjusted", "invoice/write_offs"),
    *("land/calls_versions", "land/messages_versions", "land/quarantine"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is missing or is not what its commit says."""

    table: str
    label: str
    problem: str
    file: DataFile

    @property
    def can_be_made_again(self) -> bool:
        return self.table not in _ONLY_COPY


def faults(lake: Lake) -> list[Fault]:
    """Every live file whose size or SHA-256 is not that of its commit."""
    found = []
    for table in TABLES:
        for file in lake.files(table.name):
            try:
                lake.verify(file)
            except LakeError as error:
                found.append(Fault(table.name, file.label, str(error).split(". ")[0], file))
    return found


def set_aside(
    lake: Lake, faulty: Iterable[Fault], now: datetime, also: Callable[[Connection, int], None] | None = None
) -> None:
    """Takes files out of their tables and moves what is left of them into ``damaged/``.

    ``also`` does what belongs to it within the same transaction, and is told the commit.
    """
    faulty = list(faulty)
    if not faulty:
        return
    with lake.ledger.transaction() as tx:
        gone = [(fault.table, fault.label) for fault in faulty]
        commit_id = lake.commit(tx, [], at=now, stage="verify", note="set aside", remove=gone)
        if also:
            also(tx, commit_id)
    lake.layout.damaged.mkdir(parents=True, exist_ok=True)
    for fault in faulty:
        if fault.file.path.exists():
            name = f"{fault.table.replace('/', '.')}.{fault.file.path.name}"
            fault.file.path.replace(lake.layout.damaged / name)
