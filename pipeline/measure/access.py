"""What an access rule would have done to past traffic: calls rejected, money avoided and lost, honest calls spoilt.

The rule is one somebody thinks of, or one of the provider's own as it has landed. Nothing is changed anywhere. What it
rejects, and what that is compared with, is in ``sql/measure/access/rejected.sql``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipeline.errors import SettingsError
from pipeline.lake.lake import Lake
from pipeline.shipped import shipped

FIELDS = ("to", "from")
OPERATIONS = ("exact", "prefix", "regexp")
QUANTIFIERS = ("any", "all", "none")
DIRECTIONS = ("any", "inbound", "outbound")
_MOST_ENTRIES, _SHOWN = 10_000, 5
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]|\\[1-9]")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A rule as the provider knows it, and how it is used: ``others`` rejects what it does not apply to. Only calls
    of ``partners`` and by trunk ``groups`` are looked at; where these are empty, all are."""

    name: str
    field: str
    operation: str
    quantifier: str
    entries: tuple[str, ...]
    direction: str = "any"
    others: bool = False
    partners: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, value, valid in (
            ("field", self.field, FIELDS),
            ("operation", self.operation, OPERATIONS),
            ("quantifier", self.quantifier, QUANTIFIERS),
            ("direction", self.direction, DIRECTIONS),
        ):
            if value not in valid:
                raise SettingsError(
                    f"the rule {self.name!r} has the {what} {value!r}; valid are {', '.join(valid)}."
                )
        if not 1 <= len(self.entries) <= _MOST_ENTRIES:
            raise SettingsError(
                f"the rule {self.name!r} needs 1 to {_MOST_ENTRIES:,} entries, such as 1900 or 8816."
            )
        for entry in self.entries if self.operation == "regexp" else ():
            try:
                re.compile(entry)
            except re.error as error:
                raise SettingsError(f"{entry!r} is no regular expression: {error}.") from None
            if _LOOKS_AROUND.search(entry):
                raise SettingsError(
                    f"{entry!r} looks around itself or back, which cannot be tried. Write it plainly."
                )

    def __str__(self) -> str:
        shown = ", ".join(self.entries[:_SHOWN]) + (", ..." if len(self.entries) > _SHOWN else "")
        which = "calls" if self.direction == "any" else f"{self.direction} calls"
        owners = (("partner", self.partners), ("trunk group", self.groups))
        whose = "".join(f" of {len(held)} {what}{'s' * (len(held) > 1)}" for what, held in owners if held)
        number = "called" if self.field == "to" else "calling"
        rejects = f"all {which}{whose} but those" if self.others else which + whose
        fits = f"{self.quantifier} of {self.operation} {shown}"
        return f"{self.name}: rejects {rejects} whose {number} number fits {fits}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a rule would have rejected of a partner in one currency (None: calls without a price)."""

    partner_sid: str
    company_name: str
    calls: int
    answered: int
    behind_signals: int
    has_signals: bool
    currency: str | None
    cost: Decimal
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a rule would have rejected between two instants."""

    rule: AccessRule
    since: datetime
    until: datetime
    rejected: tuple[Rejected, ...]

    @property
    def calls(self) -> int:
        return sum(r.calls for r in self._partners())

    @property
    def behind_signals(self) -> int:
        """Calls behind a signal: what such a rule is for."""
        return sum(r.behind_signals for r in self._partners())

    @property
    def false_positives(self) -> int:
        """Calls of partners who raised no signal in that time."""
        return sum(r.calls for r in self._partners() if not r.has_signals)

    def _partners(self) -> list[Rejected]:
        """One row for each partner, whatever its currencies."""
        return list({r.partner_sid: r for r in self.rejected}.values())

    def money(self) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        """By currency: cost avoided, charges not made, and of these the charges to partners without signals."""
        found: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
        for r in self.rejected:
            if r.currency is not None:
                cost, revenue, honest = found.get(r.currency, (Decimal(0), Decimal(0), Decimal(0)))
                found[r.currency] = (
                    cost + r.cost,
                    revenue + r.revenue,
                    honest + (Decimal(0) if r.has_signals else r.revenue),
                )
        return dict(sorted(found.items()))


def try_rules(lake: Lake, rules: Sequence[AccessRule], *, since: datetime, until: datetime) -> list[Outcome]:
    """What each rule would have rejected of the calls that ended in ``[since, until)``."""
    query = _sql("rejected")
    found = []
    with lake.duck() as con:
        for rule in rules:
            asked = {
                "field": rule.field,
                "operation": rule.operation,
                "quantifier": rule.quantifier,
                "entries": list(rule.entries),
                "direction": rule.direction,
                "others": rule.others,
                "partners": list(rule.partners),
                "groups": list(rule.groups),
                "since": since,
                "until": until,
            }
            rows = con.execute(query, asked).fetchall()
            found.append(Outcome(rule, since, until, tuple(Rejected(*row) for row in rows)))
    return found


def landed_rules(lake: Lake) -> tuple[list[AccessRule], list[str]]:
    """The provider's own rules as they are used for calls, and those that cannot be tried, with the reason."""
    found, left = [], []
    for row in lake.query(_sql("landed")):
        given: dict[str, Any] = {
            n: tuple(value) if isinstance(value, list) else value for n, value in row.items()
        }
        try:
            found.append(AccessRule(**given))
        except SettingsError as error:
            left.append(str(error))
    return found, left


def _sql(name: str) -> str:
    return shipped("sql", "measure", "access", f"{name}.sql").read_text(encoding="utf-8")
