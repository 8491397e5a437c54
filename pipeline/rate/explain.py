"""One record, told whole: what landed, how each payer's row was rated, and why, by the reference."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.domain.parties import Party
from pipeline.domain.rating import Outcome
from pipeline.errors import TollbookError
from pipeline.lake.lake import Lake
from pipeline.masters.model import Masters
from pipeline.rate.plans import with_rates
from pipeline.rate.reference import rate_by_reference
from pipeline.rate.world import read_world


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """One payer's row: as the engine wrote it (None: not rated yet) and as the reference sees it now."""

    party: Party
    rated: dict[str, Any] | None
    outcome: Outcome

    @property
    def agrees(self) -> bool | None:
        """Whether both say the same; None when there is nothing to compare. Masters may have changed since."""
        if self.rated is None:
            return None
        o, r = self.outcome, self.rated
        plan = (o.plan.plan_sid, o.plan.version) if o.plan else (None, None)
        mine = (o.status, o.reason, *plan, o.rate.prefix if o.rate else None, o.amount)
        names = ("rating_status", "unrated_reason", "plan_sid", "plan_version", "matched_prefix", "amount")
        return mine == tuple(r[name] for name in names)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A landed record and its rows, the cost first."""

    service: str
    landed: dict[str, Any]
    rows: tuple[ExplainedRow, ...]


def explain_record(lake: Lake, masters: Masters, dr_sid: str, *, root_sid: str) -> Explanation:
    """Explains a call or message.

    Raises:
        TollbookError: no record with that id has landed.
    """
    service, landed, rated = _find(lake, dr_sid)
    world = read_world(lake, masters, root_sid)
    written = {(r["level"], r["payer_sid"]): r for r in rated}
    rows = [
        ExplainedRow(party, written.get((party.level, party.payer_sid)), outcome)
        for party, outcome in rate_by_reference(world, service, landed, partial(with_rates, lake))
    ]
    return Explanation(service, landed, tuple(rows))


def _find(lake: Lake, dr_sid: str) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    with lake.duck() as con:
        for service in ("call", "message"):
            landed = _dicts(con, f"select * from land.{service}s where dr_sid = ?", dr_sid)
            if landed:
                query = f"select * from rate.{service}s where dr_sid = ? order by level, payer_sid"
                return service, landed[0], _dicts(con, query, dr_sid)
    msg = f"no call or message with dr_sid {dr_sid} has landed. Check the id, or run `tollbook pull` first."
    raise TollbookError(msg)


def _dicts(con: Any, query: str, *values: object) -> list[dict[str, Any]]:
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
