"""A plan to try out, and the world as it would be with it: the one thing that a what-if changes.

A candidate goes by a name of its own, whatever plan it was made from, so that no row of it can be taken for one of a
plan in use.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import RETAIL, PlanBook, RatePlan
from pipeline.errors import DeckError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.masters.model import Assignment
from pipeline.rate.deck.file import DeckOptions, read_deck
from pipeline.rate.plans import load_plans, rates_table
from pipeline.rate.world import World

PREFIX = "whatif:"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Versions of a plan to try, and their rates as rows of ``rate/rates``; ``source`` says where they are from."""

    source: str
    plans: tuple[RatePlan, ...]
    rates: pa.Table

    @property
    def plan_sid(self) -> str:
        return self.plans[0].plan_sid


def from_deck(path: Path, options: DeckOptions) -> Candidate:
    """A deck file, in force at all times; rows keep dates of their own.

    Raises:
        DeckError: the file is wrong.
    """
    read = read_deck(path, options)
    plan = replace(read, plan_sid=PREFIX + path.stem, effective_from=None, effective_to=None)
    return Candidate(path.name, (replace(plan, rates=()),), rates_table(plan))


def from_store(lake: Lake, plan_sid: str, at: datetime | None) -> Candidate:
    """A stored plan, the provider's too: each version by its own dates, or the one in force ``at`` at all times.

    Raises:
        DeckError: there is no such plan, or no version of it is in force then.
    """
    known = load_plans(lake)
    found = [p for p in known if p.plan_sid == plan_sid]
    if at is not None:
        found = [
            replace(p, effective_from=None, effective_to=None)
            for p in found
            if in_force(p.effective_from, p.effective_to, at)
        ]
    if not found:
        names = ", ".join(sorted({p.plan_sid for p in known})) or "none"
        when = f" in force at {at:%Y-%m-%d %H:%M}" if at else ""
        msg = f"there is no plan {plan_sid}{when} to try; the plans are {names}."
        raise DeckError(msg)
    name = PREFIX + plan_sid
    versions = [p.version for p in found]
    rates = (
        lake.scan("rate/rates")
        .filter((pl.col("plan_sid") == plan_sid) & pl.col("plan_version").is_in(versions))
        .with_columns(pl.lit(name).alias("plan_sid"))
        .collect()
    )
    plans = tuple(replace(p, plan_sid=name, origin=RETAIL) for p in found)
    return Candidate(plan_sid, plans, rates.to_arrow().cast(BY_NAME["rate/rates"].schema))


def world_with(world: World, candidate: Candidate, *, payer: str = "", replaces: str = "") -> World:
    """The world in which ``payer`` is billed on the candidate for all that it covers, or everybody who is billed on
    the plan ``replaces``."""
    if replaces:
        assigned = tuple(
            replace(a, plan_sid=candidate.plan_sid) if a.plan_sid == replaces else a
            for a in world.assignments
        )
    else:
        assigned = (*world.assignments, *_everywhere(world, candidate, payer))
        full = {(a.service, a.direction, a.family) for a in assigned[len(world.assignments) :]}
        # One that is as specific as the candidate's, and begins later, would win.
        assigned = tuple(
            a
            for a in assigned
            if a.partner_sid != payer
            or a.plan_sid == candidate.plan_sid
            or (a.service, a.direction, a.family) not in full
        )
    book = PlanBook((*world.book.plans, *candidate.plans), assigned, world.book.parents)
    return World(book, assigned, world.tree, world.endpoints, world.routes)


def _everywhere(world: World, candidate: Candidate, payer: str) -> list[Assignment]:
    """The candidate assigned to a payer, once for each kind of usage that it covers: nothing is more specific."""
    plan = candidate.plans[0]
    return [
        Assignment(payer, plan.plan_sid, plan.service, direction, family)
        for direction, family in world.kinds(plan.service)
        if plan.covers(plan.service, direction, family)
    ]
