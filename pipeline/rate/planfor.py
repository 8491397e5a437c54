"""Finds the plan that a quote is made under: a stored one at its time, or the one that a customer would get then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.domain.numbering import digits
from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import EVERYONE, PSTN, PlanBook, RatePlan
from pipeline.errors import DeckError, SettingsError
from pipeline.lake.lake import Lake
from pipeline.masters.model import Masters
from pipeline.rate.plans import load_plans, with_rates
from pipeline.rate.quote import CALL, Ask, Found
from pipeline.rate.world import read_world


@dataclass(slots=True)
class _Rates:
    """Plans with their rates. For one number only its rows are read; for a file, each version once and whole."""

    lake: Lake
    whole: bool
    known: dict[tuple[str, str], RatePlan] = field(default_factory=dict)

    def of(self, plan: RatePlan, number: str) -> RatePlan:
        if not self.whole:
            return with_rates(self.lake, plan, digits(number) or "")
        key = (plan.plan_sid, plan.version)
        if key not in self.known:
            self.known[key] = with_rates(self.lake, plan)
        return self.known[key]


class StoredPlan:
    """A plan by its name: the version in force when the call starts."""

    def __init__(self, lake: Lake, plan_sid: str, *, whole: bool) -> None:
        plans = load_plans(lake)
        self.versions = [p for p in plans if p.plan_sid == plan_sid]
        self.rates = _Rates(lake, whole)
        if not self.versions:
            names = ", ".join(sorted({p.plan_sid for p in plans})) or "none: run `tollbook plans import`"
            msg = f"there is no plan {plan_sid} to price with: the plans are {names}."
            raise DeckError(msg)

    @property
    def service(self) -> str:
        return self.versions[0].service

    def __call__(self, ask: Ask) -> Found:
        for plan in self.versions:
            if in_force(plan.effective_from, plan.effective_to, ask.at):
                return Found(self.rates.of(plan, ask.number), f"Plan {plan.plan_sid} was asked for.")
        return Found(
            None, f"No version of plan {self.versions[0].plan_sid} is in force at {ask.at:%Y-%m-%d %H:%M}."
        )


class CustomerPlan:
    """The plan that a customer would be billed on at the time of the call."""

    def __init__(
        self, lake: Lake, masters: Masters, payer_sid: str, service: str, *, root_sid: str, whole: bool
    ) -> None:
        if payer_sid not in masters.customers:
            msg = f"there is no customer {payer_sid}. `tollbook customers list` names them."
            raise SettingsError(msg)
        self.book, self.names = read_world(lake, masters, root_sid).book, masters.names
        self.payer_sid, self.service = payer_sid, service
        self.rates = _Rates(lake, whole)

    def __call__(self, ask: Ask) -> Found:
        kind = (
            self.service,
            ask.direction or "outbound",
            ask.family or (PSTN if self.service == CALL else "toll"),
        )
        plan = self.book.charge_plan(self.payer_sid, *kind, ask.at)
        why = why_charged(self.book, self.names, self.payer_sid, *kind, ask.at)
        if plan is None:
            return Found(None, why, self.book.missing("charge", *kind))
        return Found(self.rates.of(plan, ask.number), why)


def why_charged(
    book: PlanBook,
    names: Mapping[str, str],
    payer_sid: str,
    service: str,
    direction: str,
    family: str,
    at: datetime,
) -> str:
    """Why a payer is billed on the plan that it is billed on, in a sentence; ``names`` are by partner_sid."""

    def called(sid: str) -> str:
        return f"{names[sid]} ({sid})" if sid in names else sid

    found = book.charge_assignment(payer_sid, service, direction, family, at)
    kind = f"{direction} {family} {service}s"
    if found is None:
        return f"Nobody has assigned {called(payer_sid)} a plan for {kind} at {at:%Y-%m-%d %H:%M}."
    whose = {payer_sid: "its own assignment", EVERYONE: "the default for everybody"}
    by = whose.get(found.partner_sid, f"the assignment of {called(found.partner_sid)} above it")
    stated = " ".join(filter(None, (found.direction, found.family, found.service and f"{found.service}s")))
    told = [f"for {stated or 'everything'}"]
    told += [f"from {found.start:%Y-%m-%d %H:%M}"] if found.start else []
    told += [f"to {found.end:%Y-%m-%d %H:%M}"] if found.end else []
    return f"{called(payer_sid)} is billed for {kind} on {found.plan_sid} by {by} ({', '.join(told)})."
