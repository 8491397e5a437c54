"""Which days are out of date: asked before rating, and by the schedule to know what to run.

What a rated file was made from is kept with it in three parts of one text: its landed file and the query; the whole
world at that day; and that part of the world which its own records can see. The last is worked out only where the
second has changed, for it has to look into the file.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from sys import intern

import polars as pl

from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.layout import label_day
from pipeline.lake.views import sql_text
from pipeline.masters.model import Masters
from pipeline.rate.world import World, read_world
from pipeline.shipped import shipped

# Raise it when the rows of the rate tables change though the queries do not.
VERSION = "2"
SERVICES = ("call", "message")
_ENDPOINTS = ("endpoint_sid_src", "endpoint_sid_dst")
_RECORDS, _WORLD, _SEEN = 24, 20, 20


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
    """A landed day that is to be rated: the fingerprint of all it will be made from, and whom its records name."""

    file: DataFile
    inputs: str
    partners: frozenset[str]
    endpoints: frozenset[str]


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
    query = _queries(service)
    rated = {f.label: f.inputs for f in lake.files(service.rated, labels)}
    found, unchanged = [], 0
    for file in lake.files(service.landed, labels):
        known = rated.get(file.label, "")
        due = _due(lake, service, world, file, query, known)
        if due is None:
            unchanged += 1
        elif file.rows:
            found.append(due)
    return found, unchanged


def _due(lake: Lake, service: Service, world: World, file: DataFile, query: str, known: str) -> Due | None:
    """What is to be rated of a day; None where nothing that matters has changed."""
    day = label_day(file.label)
    records = hashlib.sha256(f"{VERSION} {query} {file.sha256}".encode()).hexdigest()[:_RECORDS]
    start = records + world.fingerprint(day)[:_WORLD]
    if known.startswith(start):
        return None
    partners, endpoints = _named(service, lake.verify(file))
    seen = world.fingerprint_for(day, partners, endpoints)[:_SEEN]
    if known.startswith(records) and known.endswith(seen):
        return None
    return Due(file, start + seen, partners, endpoints)


def _queries(service: Service) -> str:
    steps = sorted(shipped("sql", "rate", "steps").glob("*.sql"))
    texts = [sql_text(service.rated), *(path.read_text(encoding="utf-8") for path in steps)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def _named(service: Service, file: DataFile) -> tuple[frozenset[str], frozenset[str]]:
    """The partners, and of calls the endpoints, that a file's records name; most files name the same ones."""
    columns = ["partner_sid", *_ENDPOINTS] if service.name == "call" else ["partner_sid"]
    rows = pl.scan_parquet(file.path, glob=False, hive_partitioning=False).select(columns)
    first, *others = pl.collect_all([rows.select(pl.col(column).unique()) for column in columns])
    partners = frozenset(intern(sid or "") for sid in first.to_series())
    return partners, frozenset(intern(sid) for found in others for sid in found.to_series() if sid)


def emptied(lake: Lake, service: Service, labels: Sequence[str] | None = None) -> list[str]:
    """The rated days whose landed records are all gone."""
    landed = {f.label for f in lake.files(service.landed, labels) if f.rows}
    return [f.label for f in lake.files(service.rated, labels) if f.label not in landed]
