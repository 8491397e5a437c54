"""Which days are out of date: asked before rating, and by the schedule to know what to run.

A day's fingerprint covers its landed file, the query, and everything in ``world`` that can touch its records.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.layout import label_day
from pipeline.lake.views import sql_text
from pipeline.masters.model import Masters
from pipeline.rate.world import World, read_world

# Raise it when the rows of the rate tables change though the queries do not.
VERSION = "1"
SERVICES = ("call", "message")


@dataclass(frozen=True, slots=True)
class Service:
    """The tables of calls or of messages, and the column of the billed amount of usage."""

    name: str
    landed: str
    rated: str
    usage: str


TABLES = {
    "call": Service("call", "land/calls", "rate/calls", "billed_seconds"),
    "message": Service("message", "land/messages", "rate/messages", "billed_units"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """A landed day that is to be rated, and the fingerprint of all it will be made from."""

    file: DataFile
    inputs: str


def due_days(
    lake: Lake, masters: Masters, *, root_sid: str, services: Sequence[str] = SERVICES
) -> dict[date, str]:
    """The days that ``rate_days`` would write or remove, each with a fingerprint of what it would be made from.

    The provider's plans must have been built before, see ``plans``.

    Raises:
        LakeError: a landed file is damaged.
    """
    world = read_world(lake, masters, root_sid)
    found: dict[date, str] = {}
    for service in map(TABLES.__getitem__, services):
        for due in find_due(lake, service, world)[0]:
            day = label_day(due.file.label)
            found[day] = found.get(day, "") + due.inputs
        for label in emptied(lake, service):
            found.setdefault(label_day(label), "gone")
    return dict(sorted(found.items()))


def find_due(
    lake: Lake, service: Service, world: World, labels: Sequence[str] | None = None
) -> tuple[list[Due], int]:
    """The landed days that are out of date, verified, and how many are not.

    Raises:
        LakeError: a landed file is damaged.
    """
    query = hashlib.sha256(sql_text(service.rated).encode()).hexdigest()
    rated = {f.label: f.inputs for f in lake.files(service.rated, labels)}
    found, unchanged = [], 0
    for file in lake.files(service.landed, labels):
        parts = (VERSION, query, file.sha256, world.fingerprint(label_day(file.label)))
        inputs = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        if rated.get(file.label) == inputs:
            unchanged += 1
        elif file.rows:
            found.append(Due(lake.verify(file), inputs))
    return found, unchanged


def emptied(lake: Lake, service: Service, labels: Sequence[str] | None = None) -> list[str]:
    """The rated days whose landed records are all gone."""
    landed = {f.label for f in lake.files(service.landed, labels) if f.rows}
    return [f.label for f in lake.files(service.rated, labels) if f.label not in landed]
