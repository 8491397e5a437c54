"""Rate plans: what a call or message costs, from when, under which terms, and who is billed on which.

A plan is known by its ``plan_sid``; each version is in force from its own date to the next one's. Rates inside a
version may have dates of their own. All times are aware datetimes; intervals are half-open; None is open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Protocol, TypeVar

from pipeline.domain.period import in_force
from pipeline.domain.steps import Step
from pipeline.domain.windows import Window

PROVIDER = "provider"
RETAIL = "retail"
PSTN = "pstn"
EVERYONE = "*"
Key = tuple[str, str, int | None, int | None, str | None, str, str | None, str]
K = TypeVar("K")
V = TypeVar("V")
_EVER = datetime.min.replace(tzinfo=UTC)
DEFAULT_INCREMENT = Decimal(1)
INCREMENT_RULES = ("total", "after_minimum")
MATCH_FIELDS = ("number_dst", "number_dst_transformed", "number_dst_original")
BILLABLE_BASES = ("talk", "duration")
BASE_ROUNDINGS = ("exact", "floor", "round")


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of a plan; durations in seconds.

    ``price`` is per ``unit`` seconds, or per segment of a message; None means that there is none, and then the
    row's traffic is unrated. An empty ``prefix`` (messages: no mcc and no country) is the default row. An empty
    ``origin_prefix`` and a ``jurisdiction`` of None take any call; an empty ``window`` is for the hours that no other
    row of the same key names.
    """

    price: Decimal | None
    prefix: str = ""
    country_code: str | None = None
    mcc: int | None = None
    mnc: int | None = None
    increment: Decimal = DEFAULT_INCREMENT
    minimum: Decimal = Decimal(0)
    grace: Decimal = Decimal(0)
    unit: Decimal = Decimal(60)
    connect_fee: Decimal = Decimal(0)
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    blocked: bool = False
    origin_prefix: str = ""
    jurisdiction: str | None = None
    window: str = ""
    min_charge: Decimal | None = None
    max_charge: Decimal | None = None
    steps: tuple[Step, ...] = ()

    @property
    def priced(self) -> bool:
        return self.price is not None and not self.blocked


@dataclass(frozen=True, slots=True)
class RateGroup:
    """The rows of one prefix, origin and jurisdiction in force at one instant: one for each window, and the rest's."""

    rates: tuple[Rate, ...]

    @property
    def timed(self) -> bool:
        """Whether the time of day matters."""
        return any(rate.window for rate in self.rates)

    def at(self, window: str) -> Rate | None:
        """The row for a window, else the one for the rest of the time, if there is one."""
        found = {rate.window: rate for rate in self.rates}
        return found.get(window, found.get(""))


@dataclass(frozen=True)
class RatePlan:
    """One version of a plan: its terms and its rates.

    ``direction`` and ``family`` None cover any. ``billable_statuses`` is for messages. ``windows`` are read in
    ``time_zone``; ``base_rounding`` floors or rounds the seconds of a call to whole ones before anything else.
    """

    plan_sid: str
    version: str
    service: str
    currency: str
    origin: str = RETAIL
    direction: str | None = None
    family: str | None = None
    name: str = ""
    unit_rule: str = "fixed:60"
    increment_rule: str = "after_minimum"
    billable_base: str = "talk"
    match_field: str = "number_dst"
    rounding_mode: str = "half_up"
    rounding_decimals: int = 10
    billable_statuses: tuple[str, ...] = ("sent", "delivered", "received")
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    time_zone: str = "UTC"
    windows: tuple[Window, ...] = ()
    base_rounding: str = "exact"
    rates: Sequence[Rate] = ()

    def covers(self, service: str, direction: str, family: str) -> bool:
        """Whether the plan is meant for this kind of usage."""
        return (
            self.service == service and self.direction in (None, direction) and self.family in (None, family)
        )

    def match_number(
        self, number: str, at: datetime, *, origin: str | None = None, jurisdiction: str | None = None
    ) -> RateGroup | None:
        """The rows in force at ``at`` of the longest prefix that fits; price never decides.

        Of one prefix, the longest origin wins, then a jurisdiction that is stated over any; the default row comes
        last. A row for another origin or jurisdiction is passed over as if it were not there.
        """
        for length in range(min(len(number), self._longest), -1, -1):
            fitting = [
                rate
                for rate in self._by_prefix.get(number[:length], ())
                if in_force(rate.effective_from, rate.effective_to, at)
                and (origin or "").startswith(rate.origin_prefix)
                and rate.jurisdiction in (None, jurisdiction)
            ]
            if fitting:
                best = max(_narrowness(rate) for rate in fitting)
                return RateGroup(tuple(rate for rate in fitting if _narrowness(rate) == best))
        return None

    def match_message(
        self, mcc: int | None, mnc: int | None, country: str | None, at: datetime
    ) -> Rate | None:
        """The row of the network, else of the mobile country code, else of the country, else the default row."""
        steps: list[Key] = []
        if mcc is not None and mnc is not None:
            steps.append(_message_key("network", mcc, mnc, None))
        if mcc is not None:
            steps.append(_message_key("network", mcc, None, None))
        if country is not None:
            steps.append(_message_key("country", None, None, country))
        steps.append(_message_key("", None, None, None))
        return next((found for step in steps if (found := self._pick(step, at))), None)

    def _pick(self, key: Key, at: datetime) -> Rate | None:
        return next(
            (r for r in self._index.get(key, ()) if in_force(r.effective_from, r.effective_to, at)), None
        )

    @cached_property
    def _longest(self) -> int:
        return max((len(r.prefix) for r in self.rates), default=0)

    @cached_property
    def _by_prefix(self) -> dict[str, list[Rate]]:
        return _grouped((rate.prefix, rate) for rate in self.rates)

    @cached_property
    def _index(self) -> dict[Key, list[Rate]]:
        index: dict[Key, list[Rate]] = {}
        for rate in self.rates:
            index.setdefault(match_key(self.service, rate), []).append(rate)
        return index


def match_key(service: str, rate: Rate) -> Key:
    """What a row is found by; two rows with one key must not be in force at once."""
    if service == "call":
        return ("", rate.prefix, None, None, None, rate.origin_prefix, rate.jurisdiction, rate.window)
    if rate.mcc is not None:
        return _message_key("network", rate.mcc, rate.mnc, None)
    return _message_key("country" if rate.country_code else "", None, None, rate.country_code)


def _narrowness(rate: Rate) -> tuple[int, bool]:
    return len(rate.origin_prefix), rate.jurisdiction is not None


def _message_key(kind: str, mcc: int | None, mnc: int | None, country: str | None) -> Key:
    return (kind, "", mcc, mnc, country, "", None, "")


def unit_of(unit_rule: str, minimum: Decimal, stated: Decimal | None = None) -> Decimal:
    """Seconds that a price is for: what the row states, else by the plan's rule, ``fixed:N`` or ``minimum``.

    Raises:
        ValueError: the rule is unknown, or it is ``minimum`` and the row's minimum is 0.
    """
    if stated is not None:
        return stated
    if unit_rule == "minimum":
        if minimum <= 0:
            msg = "the price is per billing_minimum, and that is 0"
            raise ValueError(msg)
        return minimum
    kind, _, seconds = unit_rule.partition(":")
    if kind != "fixed" or not seconds.isdigit() or int(seconds) == 0:
        msg = f"unit rule {unit_rule!r} is neither 'minimum' nor 'fixed:SECONDS'"
        raise ValueError(msg)
    return Decimal(seconds)


class Assigned(Protocol):
    """An assignment as the master files give it; empty texts match any."""

    @property
    def partner_sid(self) -> str: ...
    @property
    def plan_sid(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def start(self) -> datetime | None: ...
    @property
    def end(self) -> datetime | None: ...


@dataclass(frozen=True)
class PlanBook:
    """All plans, and who is billed on which: ``parents`` maps each partner to the one above it."""

    plans: tuple[RatePlan, ...]
    assignments: Sequence[Assigned] = ()
    parents: Mapping[str, str | None] | None = None

    def cost_plan(self, service: str, direction: str, family: str, at: datetime) -> RatePlan | None:
        """The provider's plan in force."""
        return next(
            (p for p in self._provider.get((service, direction, family), ()) if _current(p, at)), None
        )

    def charge_plan(
        self, payer_sid: str, service: str, direction: str, family: str, at: datetime
    ) -> RatePlan | None:
        """The plan a payer is billed on: by its own assignment, else its parent's, up the tree, else the default.

        The more specific assignment wins, then the one that starts later.
        """
        found = self.charge_assignment(payer_sid, service, direction, family, at)
        return next((p for p in self._retail[found.plan_sid] if _current(p, at)), None) if found else None

    def charge_assignment(
        self, payer_sid: str, service: str, direction: str, family: str, at: datetime
    ) -> Assigned | None:
        """The assignment that decides what a payer is billed on."""
        kind = (service, direction, family)
        for sid in (*self._upwards(payer_sid), EVERYONE):
            fitting = [a for a in self._assigned.get(sid, ()) if self._fits(a, *kind, at)]
            if fitting:
                return max(fitting, key=_precedence)
        return None

    def missing(self, side: str, service: str, direction: str, family: str) -> str:
        """Why there is no plan: nobody has one for the family, or this payer has none."""
        if side == "cost" and (service, direction) == ("message", "inbound"):
            return "no_provider_plan"
        origin = PROVIDER if side == "cost" else RETAIL
        known = any(p.origin == origin and p.covers(service, direction, family) for p in self.plans)
        return "no_plan" if known or family == PSTN or service == "message" else "no_family"

    def holders(self, payer_sid: str) -> tuple[str, ...]:
        """The partners, nearest first, whose assignments can price what the payer is charged."""
        return tuple(sid for sid in (*self._upwards(payer_sid), EVERYONE) if sid in self._assigned)

    def instants(self, side: str, payer_sid: str, service: str, direction: str, family: str) -> set[datetime]:
        """When the answer of ``cost_plan`` or ``charge_plan`` can change."""
        if side == "cost":
            return _ends(
                (p.effective_from, p.effective_to)
                for p in self._provider.get((service, direction, family), ())
            )
        held = [a for sid in self.holders(payer_sid) for a in self._assigned[sid]]
        plans = [p for sid in {a.plan_sid for a in held} for p in self._retail.get(sid, ())]
        return _ends((a.start, a.end) for a in held) | _ends(
            (p.effective_from, p.effective_to) for p in plans
        )

    def unknown_plans(self) -> tuple[str, ...]:
        """Plans that assignments name and that do not exist."""
        return tuple(sorted({a.plan_sid for a in self.assignments} - set(self._retail)))

    def _fits(self, a: Assigned, service: str, direction: str, family: str, at: datetime) -> bool:
        wanted = ((a.service, service), (a.direction, direction), (a.family, family))
        if not in_force(a.start, a.end, at) or any(stated and stated != actual for stated, actual in wanted):
            return False
        return any(p.covers(service, direction, family) for p in self._retail.get(a.plan_sid, ()))

    def _upwards(self, partner_sid: str) -> Iterable[str]:
        return upwards(partner_sid, self.parents or {})

    @cached_property
    def _retail(self) -> dict[str, list[RatePlan]]:
        return _grouped((p.plan_sid, p) for p in self.plans if p.origin == RETAIL)

    @cached_property
    def _provider(self) -> dict[tuple, list[RatePlan]]:
        return _grouped(((p.service, p.direction, p.family), p) for p in self.plans if p.origin == PROVIDER)

    @cached_property
    def _assigned(self) -> dict[str, list[Assigned]]:
        return _grouped((a.partner_sid, a) for a in self.assignments)


def upwards(partner_sid: str, parents: Mapping[str, str | None]) -> list[str]:
    """A partner and those above it, nearest first; ends where the tree is not visible, and in a loop."""
    path: list[str] = []
    here: str | None = partner_sid
    while here is not None and here not in path:
        path.append(here)
        here = parents.get(here)
    return path


def _current(plan: RatePlan, at: datetime) -> bool:
    return in_force(plan.effective_from, plan.effective_to, at)


def _ends(intervals: Iterable[tuple[datetime | None, datetime | None]]) -> set[datetime]:
    return {instant for interval in intervals for instant in interval if instant is not None}


def _precedence(a: Assigned) -> tuple[int, datetime, str]:
    stated = sum(bool(text) for text in (a.service, a.direction, a.family))
    return (stated, a.start or _EVER, a.plan_sid)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    grouped: dict[K, list[V]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped
