"""Looks after the files: finds damaged ones and sets them aside, and names under ``lake/`` that show something else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from pipeline.errors import LakeError
from pipeline.lake.disk import parquets
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


def misshown(lake: Lake) -> dict[Path, str]:
    """The names under ``lake/`` that do not show what is committed, and why.

    A name is a second one of its file, which costs nothing to see. Where homes were copied or have no hard links it is
    a copy, and read to the end.
    """
    live = [file for table in TABLES for file in lake.files(table.name)]
    shown = {lake.layout.shown(file.table, file.label, file.sha256): file for file in live}
    found = {name: "left over: no commit has it" for name in parquets(lake.layout.lake) if name not in shown}
    for name, file in shown.items():
        if not name.exists():
            found[name] = "missing"
        elif not (file.path.exists() and name.samefile(file.path)):
            try:
                lake.verify(replace(file, path=name))
            except LakeError:
                found[name] = "not what was committed"
    return found


def show_anew(lake: Lake, now: datetime) -> None:
    """Makes those names anew, of the files that are committed."""
    for name in misshown(lake):
        name.unlink(missing_ok=True)
    lake.sweep(now)
