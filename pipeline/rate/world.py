"""Reads everything but the records that decides what a record costs, and fingerprints it per day.

A day's fingerprint leaves out what begins after that day: a new deck for next month does not rate this month again.
There are two: ``fingerprint`` over the whole world costs nothing to ask; where it has changed, ``fingerprint_for`` the
partners and endpoints that the day's records name says whether that is any of their business. A new customer with a
plan of its own must not rate the history of all others again.

Partners and endpoints count with their last known content, so that records of a deleted partner still find theirs. A
number's route counts from the moment it was looked up: a lookup of today does not change what last month cost.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from pipeline.domain.numbering import digits
from pipeline.domain.rate_plan import PROVIDER, PSTN, PlanBook, RatePlan
from pipeline.domain.rating import call_family
from pipeline.lake.lake import Lake
from pipeline.masters.model import Assignment, Masters
from pipeline.rate.choices import Tree
from pipeline.rate.plans import BUILDER, load_plans

MESSAGE_FAMILIES = ("toll", "toll_free", "short_code")
DIRECTIONS = ("inbound", "outbound")
# Messages may be inserted shortly before they start.
_SLACK = timedelta(days=1)


class Route(NamedTuple):
    """Where a ported number really is: the routing number that was known from ``since`` on."""

    since: datetime
    number: str
    lrn: str


@dataclass(slots=True)
class World:
    """Plans and assignments, the tree of partners, the type of every endpoint, and routes in order of time."""

    book: PlanBook
    assignments: tuple[Assignment, ...]
    tree: Tree
    endpoints: Mapping[str, str | None]
    routes: tuple[Route, ...] = ()
    _seen: dict[tuple, str] = field(default_factory=dict, repr=False)

    def kinds(self, service: str) -> list[tuple[str, str]]:
        """Every (direction, family) that records of a service can have."""
        families = (
            {PSTN, *map(call_family, self.endpoints.values())} if service == "call" else MESSAGE_FAMILIES
        )
        return [(direction, family) for direction in DIRECTIONS for family in sorted(families)]

    def endpoint_types(self) -> pa.Table:
        sids, types = list(self.endpoints), list(self.endpoints.values())
        return pa.table({"endpoint_sid": pa.array(sids, pa.string()), "type": pa.array(types, pa.string())})

    def routed(self, number: str | None, at: datetime | None) -> str | None:
        """The routing number that was known for a number at an instant."""
        bare = digits(number)
        known = [r.lrn for r in self.routes if r.number == bare and at is not None and r.since <= at]
        return known[-1] if known else None

    def fingerprint(self, day: date) -> str:
        """A hash over everything that begins before the day's end."""
        plans, held, routes = self._until(day)
        key = (*(p.effective_to for p in plans), len(held), *(a.end for a in held), len(routes))
        if key not in self._seen:
            tree = (self.tree.root_sid, sorted(self.tree.parents.items()), sorted(self.tree.resells.items()))
            self._seen[key] = _digest(BUILDER, plans, held, tree, sorted(self.endpoints.items()), routes)
        return self._seen[key]

    def fingerprint_for(self, day: date, partners: Iterable[str], endpoints: Iterable[str]) -> str:
        """The same over what can touch records of these partners and endpoints alone."""
        plans, held, routes = self._until(day)
        parties = {sid: self.tree.parties(sid) for sid in sorted(partners)}
        payers = sorted({p.payer_sid for found in parties.values() for p in found if p.verdict is None})
        holders = {sid: self.book.holders(sid) for sid in payers}
        bearing = {sid for found in holders.values() for sid in found}
        assignments = [a for a in held if a.partner_sid in bearing]
        named = {a.plan_sid for a in assignments}
        own = [p for p in plans if p.origin == PROVIDER or p.plan_sid in named]
        scopes = sorted({repr((p.origin, p.service, p.direction, p.family)) for p in self.book.plans})
        types = [(sid, self.endpoints.get(sid)) for sid in sorted(endpoints)]
        return _digest(BUILDER, self.tree.root_sid, own, scopes, assignments, holders, parties, types, routes)

    def _until(self, day: date) -> tuple[list[RatePlan], list[Assignment], list[Route]]:
        limit = datetime.combine(day, time(), UTC) + timedelta(days=1) + _SLACK
        plans = [_clipped(p, limit) for p in self.book.plans if not _after(p.effective_from, limit)]
        held = [_clipped_end(a, limit) for a in self.assignments if not _after(a.start, limit)]
        return plans, held, [r for r in self.routes if r.since < limit]


def read_world(lake: Lake, masters: Masters, root_sid: str) -> World:
    """Reads the world as it is now."""
    parents = _last_known(lake, "land/partners", "partner_sid", "parent_sid") | {root_sid: None}
    resells = {sid: c.resells for sid, c in masters.customers.items()}
    endpoints = _last_known(lake, "land/endpoints", "endpoint_sid", "type")
    book = PlanBook(load_plans(lake), masters.assignments, parents)
    return World(book, masters.assignments, Tree(root_sid, parents, resells), endpoints, _routes(lake))


def _routes(lake: Lake) -> tuple[Route, ...]:
    found = lake.scan("land/lookups").filter(pl.col("lrn").str.contains(r"^\d{10}$"))
    known = found.select("looked_up_at", "phonenumber", pl.format("1{}", "lrn").alias("lrn"))
    rows = known.sort("looked_up_at", "phonenumber", "lrn").collect()
    return tuple(Route(*row) for row in rows.iter_rows())


def _last_known(lake: Lake, table: str, key: str, value: str) -> dict[str, str | None]:
    rows = lake.scan(table).sort("valid_from").group_by(key).agg(pl.last(value)).sort(key).collect()
    return dict(rows.iter_rows())


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _after(start: datetime | None, limit: datetime) -> bool:
    return start is not None and start >= limit


def _clipped(plan: RatePlan, limit: datetime) -> RatePlan:
    return replace(plan, effective_to=None) if _after(plan.effective_to, limit) else plan


def _clipped_end(assignment: Assignment, limit: datetime) -> Assignment:
    return replace(assignment, end=None) if _after(assignment.end, limit) else assignment
