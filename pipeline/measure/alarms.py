"""Alarms: the signals that nobody has been told of yet, as one message; a signal is told once, whatever day it is.

Which they are is in the ledger. Who is told, and by which door, is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pipeline.lake.lake import Lake
from pipeline.ledger import alarms as books
from pipeline.ledger.ledger import Ledger
from pipeline.masters.signals import SEVERITIES, SignalPolicy

_LISTED = 20
_HOW = 400


@dataclass(frozen=True, slots=True)
class Alarm:
    """A signal as it is told; ``customer`` is the partner's company, or its sid where that is not known."""

    signal_sid: str
    day: date
    kind: str
    severity: str
    partner_sid: str
    customer: str
    reason: str
    records: int

    def __str__(self) -> str:
        return f"{self.severity}: {self.customer}, {self.day}, {self.kind}: {self.reason} [{self.signal_sid}]"


def untold(lake: Lake, ledger: Ledger, policy: SignalPolicy) -> list[Alarm]:
    """What is to be told and has not been, the gravest first."""
    wanted = SEVERITIES[SEVERITIES.index(policy.tell_from) :]
    rows = lake.query(
        "select signal_sid, day, kind, severity, partner_sid, company_name as customer, reason, records "
        "from measure.fraud where list_contains($wanted::varchar[], severity)",
        {"wanted": list(wanted)},
    )
    with ledger.read() as tx:
        known = books.told(tx)
    news = [Alarm(**row) for row in rows if row["signal_sid"] not in known]
    return sorted(news, key=lambda alarm: -SEVERITIES.index(alarm.severity))


def message(alarms: Sequence[Alarm]) -> tuple[str, str]:
    """Subject and text about all of them."""
    customers = {alarm.customer for alarm in alarms}
    who = next(iter(customers)) if len(customers) == 1 else f"{len(customers)} customers"
    count = f"{len(alarms)} signals" if len(alarms) > 1 else "a signal"
    more = len(alarms) - _LISTED
    lines = [str(alarm) for alarm in alarms[:_LISTED]]
    lines += [f"... and {more} more"] if more > 0 else []
    lines += [
        "",
        "`tollbook fraud` lists them; `tollbook fraud --records SIGNAL` shows the records behind one.",
    ]
    return f"{count} of possible fraud by {who}", "\n".join(lines)


def mark_told(ledger: Ledger, alarms: Sequence[Alarm], *, how: Sequence[str], at: datetime) -> None:
    """Takes down that somebody has been told."""
    if not alarms:
        return
    shared = {"at": at, "how": ", ".join(how)[:_HOW]}
    rows = [
        {"signal_sid": a.signal_sid, "kind": a.kind, "partner_sid": a.partner_sid} | shared for a in alarms
    ]
    with ledger.transaction() as tx:
        books.add(tx, rows)
