"""Asks the provider's own charges what a price is for, before money moves.

Its documents say per ``billing_minimum``; its sample invoice reads per minute, ten times less on 6/6 rows. So where
most charges contradict the unit that a plan was rated with, nothing may be invoiced until a person decides.
"""

from dataclasses import dataclass

from pipeline.lake.lake import Lake


@dataclass(frozen=True, slots=True)
class UnitFinding:
    """What the charges of one plan say: ``records`` could tell, ``agreeing`` of them with ``unit_rule``; most of the
    others say ``implied``."""

    plan_sid: str
    unit_rule: str
    implied: str
    records: int
    agreeing: int

    @property
    def contradicted(self) -> bool:
        return self.agreeing * 2 < self.records

    @property
    def message(self) -> str:
        if not self.contradicted:
            return f"{self.plan_sid}: {self.agreeing} of {self.records} charges confirm unit rule {self.unit_rule}."
        return (
            f"{self.plan_sid} is rated with unit rule {self.unit_rule}, but {self.records - self.agreeing} of "
            f"{self.records} of the provider's own charges contradict it; most read as {self.implied}. Set "
            f'unit_rule = "{self.implied}" under [provider] in masters/policy.toml and rate again, or accept it with '
            'gate_accepted = "your name".'
        )


@dataclass(frozen=True, slots=True)
class GateResult:
    """The findings per plan. ``accepted_by`` is who accepted a contradiction, or empty."""

    findings: tuple[UnitFinding, ...]
    accepted_by: str = ""

    @property
    def contradictions(self) -> tuple[UnitFinding, ...]:
        return tuple(f for f in self.findings if f.contradicted)

    @property
    def ok(self) -> bool:
        """Whether invoices may be made."""
        return not self.contradictions or bool(self.accepted_by)

    @property
    def message(self) -> str:
        """Why not, and what to do; empty when all is well."""
        return " ".join(f.message for f in self.contradictions)


def check_units(lake: Lake, accepted_by: str = "") -> GateResult:
    """Compares the unit of every provider plan with what its charges imply.

    ``accepted_by`` is the policy's ``gate_accepted``.
    """
    with lake.duck() as con:
        rows = con.execute(
            "select plan_sid, unit_rule, implied_unit, agrees, records from rate.implied_units"
        ).fetchall()
    votes: dict[tuple[str, str], list[tuple[str, bool, int]]] = {}
    for plan_sid, unit_rule, implied, agrees, records in rows:
        votes.setdefault((plan_sid, unit_rule), []).append((implied, agrees, records))
    return GateResult(tuple(_finding(*plan, found) for plan, found in sorted(votes.items())), accepted_by)


def _finding(plan_sid: str, unit_rule: str, votes: list[tuple[str, bool, int]]) -> UnitFinding:
    other = [(records, implied) for implied, agrees, records in votes if not agrees]
    return UnitFinding(
        plan_sid,
        unit_rule,
        max(other)[1] if other else unit_rule,
        sum(records for _, _, records in votes),
        sum(records for _, agrees, records in votes if agrees),
    )
