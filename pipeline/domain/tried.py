"""Every row of a plan that could have priced a call or message, and why each but one did not.

Decides nothing: it is told what was chosen, and says of each other row which rule passed it over, in the order in
which the rules are applied (time, origin, jurisdiction, then the longer prefix, the longer origin, the window).
"""

from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.rating import Outcome

CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Tried:
    """A row, and ``chosen`` or the reason why it is not."""

    rate: Rate
    verdict: str

    @property
    def chosen(self) -> bool:
        return self.verdict.startswith(CHOSEN)


def tried_for_call(
    plan: RatePlan, outcome: Outcome, at: datetime, origin: str | None = None
) -> tuple[Tried, ...]:
    """The rows whose prefix the number has, the longest first."""
    number = outcome.number
    if number is None:
        return ()
    rows = sorted((r for r in plan.rates if number.startswith(r.prefix)), key=_place)
    return tuple(Tried(row, _call_verdict(row, outcome, at, origin or "")) for row in rows)


def tried_for_message(
    plan: RatePlan, outcome: Outcome, at: datetime, mcc: int | None, mnc: int | None, country: str | None
) -> tuple[Tried, ...]:
    """The rows of the network, the mobile country code, the country, and the default row."""
    fitting = (
        r
        for r in plan.rates
        if (r.mcc is None or r.mcc == mcc)
        and (r.mnc is None or r.mnc == mnc)
        and (r.mcc is not None or r.country_code in (None, country))
    )
    rows = sorted(fitting, key=lambda r: (r.mnc is None, r.mcc is None, r.country_code is None))
    return tuple(Tried(row, _message_verdict(row, outcome, at)) for row in rows)


def _call_verdict(row: Rate, outcome: Outcome, at: datetime, origin: str) -> str:
    chosen = outcome.rate
    if row == chosen:
        return CHOSEN
    if not in_force(row.effective_from, row.effective_to, at):
        return _out_of_date(row, at)
    if not origin.startswith(row.origin_prefix):
        return f"only for callers from {row.origin_prefix}"
    if row.jurisdiction not in (None, outcome.jurisdiction):
        return f"only for {row.jurisdiction} calls, and this one is {outcome.jurisdiction}"
    if chosen is None:
        return f"only in the window {row.window}" if row.window else "passed over"
    if len(row.prefix) < len(chosen.prefix):
        return f"the prefix {chosen.prefix} is longer"
    if len(row.origin_prefix) < len(chosen.origin_prefix):
        return f"the origin {chosen.origin_prefix} is longer"
    if row.jurisdiction is None and chosen.jurisdiction:
        return f"a row for {chosen.jurisdiction} calls goes before one for all"
    if row.window in {part.window for part in outcome.parts}:
        return f"{CHOSEN} for the part of the call in its window"
    return f"only in the window {row.window}" if row.window else "only where no window holds"


def _message_verdict(row: Rate, outcome: Outcome, at: datetime) -> str:
    if row == outcome.rate:
        return CHOSEN
    if not in_force(row.effective_from, row.effective_to, at):
        return _out_of_date(row, at)
    return "a narrower row goes before it"


def _out_of_date(row: Rate, at: datetime) -> str:
    if row.effective_from is not None and at < row.effective_from:
        return f"in force only from {row.effective_from:%Y-%m-%d %H:%M}"
    return f"ended on {row.effective_to:%Y-%m-%d %H:%M}"


def _place(row: Rate) -> tuple[int, int, bool, str]:
    return -len(row.prefix), -len(row.origin_prefix), row.jurisdiction is None, row.window
