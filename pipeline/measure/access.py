"""What an access rule would have done to past traffic: calls rejected, money avoided and lost, honest calls spoilt.

The rule is one somebody thinks of, or one of the provider's own as it has landed. Nothing is changed anywhere. What it
rejects, and what that is compared with, is in ``sql/measure/access/rejected.sql``.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.errors import SettingsError
from pipeline.lake.lake import Lake
from pipeline.shipped import shipped

FIELDS = ("to", "from")
OPERATIONS = ("exact", "prefix", "regexp")
QUANTIFIERS = ("any", "all", "none")
DIRECTIONS = ("any", "inbound", "outbound")
_MOST_ENTRIES = 10_000
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]|\\[1-9]")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A rule as the provider knows it, and how it is used: ``others`` rejects what it does not apply to. ``partners``
    empty is everybody's calls."""

    name: str
    field: str
    operation: str
    quantifier: str
    entries: tuple[str, ...]
    direction: str = "any"
    others: bool = False
    partners: tuple[str, ...] = ()

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
        shown = ", ".join(self.entries[:5]) + (", ..." if len(self.entries) > 5 else "")
        what = f"{self.direction} " if self.direction != "any" else ""
        which = "calls where it is not so that" if self.others else "calls where"
        fits = f"{self.quantifier} {self.operation} of {shown} fits"
        return f"{self.name}: rejects {what}{which} {fits} the number {self.field}"


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
        return sum(r.calls for r in self.rejected)

    @property
    def behind_signals(self) -> int:
        """Calls behind a signal: what such a rule is for."""
        return sum(r.behind_signals for r in self.rejected)

    @property
    def false_positives(self) -> int:
        """Calls of partners who raised no signal in that time."""
        return sum(r.calls for r in self.rejected if not r.has_signals)

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
    query = shipped("sql", "measure", "access", "rejected.sql").read_text(encoding="utf-8")
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
                "since": since,
                "until": until,
            }
            rows = con.execute(query, asked).fetchall()
            found.append(Outcome(rule, since, until, tuple(Rejected(*row) for row in rows)))
    return found


def landed_rules(lake: Lake) -> tuple[list[AccessRule], list[str]]:
    """The provider's own rules as they are used for calls, and those that cannot be tried, with the reason.

    A rule in no list of anybody is tried as one that rejects everybody's calls that it applies to.
    """
    rules = lake.query(
        "select rule_sid, name, field, operation, quantifier, entries_json from land.access_rules order by name"
    )
    uses = lake.query(
        "select rules_json, direction, action_true, action_false, "
        "list(distinct owner_sid order by owner_sid) filter (owner_type = 'partner') as partners "
        "from land.effective_acls where service = 'call' group by all order by all"
    )
    found, left = [], []
    for row in rules:
        used = [use for use in uses if row["rule_sid"] in json.loads(use["rules_json"] or "[]")]
        try:
            found += [_landed(row, use) for use in used or [{}]]
        except SettingsError as error:
            left.append(str(error))
    return found, left


def _landed(row: dict, use: dict) -> AccessRule:
    rejects_others = not _rejects(use.get("action_true")) and _rejects(use.get("action_false"))
    return AccessRule(
        name=row["name"] or row["rule_sid"],
        field=row["field"],
        operation=row["operation"],
        quantifier=row["quantifier"],
        entries=tuple(json.loads(row["entries_json"] or "[]")),
        direction=use.get("direction") or "any",
        others=rejects_others,
        partners=tuple(use.get("partners") or ()),
    )


def _rejects(action: str | None) -> bool:
    return (action or "").startswith("reject")
