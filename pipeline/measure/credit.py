"""Prepaid credit that runs out: who a person is to be told of, once when it is low and once when nothing is left.

What stands is ``measure.prepaid``. What was told last is in the ledger, so that whoever looks, the clock or a person
at the command line, tells it once; a customer that topped up is told of again. Who is told is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.domain.money import plain
from pipeline.lake.lake import Lake
from pipeline.ledger import alarms as books
from pipeline.ledger.ledger import Ledger

_SHORT = """
select partner_sid, seller, company_name, currency, available, top_up, advice
from measure.prepaid
where advice <> 'ok'
order by advice desc, available
"""


@dataclass(frozen=True, slots=True)
class Short:
    """An account with too little left; ``advice`` is ``low`` or ``suspend``."""

    partner_sid: str
    seller: str
    company_name: str
    currency: str
    available: Decimal
    top_up: Decimal | None
    advice: str

    def __str__(self) -> str:
        wanted = f", top up by {plain(self.top_up)}" if self.top_up is not None else ""
        how = "used up, consider suspending it" if self.advice == "suspend" else "low"
        left = f"{plain(self.available)} {self.currency} left"
        return f"{self.company_name} ({self.partner_sid}): prepaid credit is {how}; {left}{wanted}"


def short_of_credit(lake: Lake) -> list[Short]:
    """All of them, those with nothing left first."""
    return [Short(**row) for row in lake.query(_SHORT)]


def worse_than_told(ledger: Ledger, short: Sequence[Short]) -> list[Short]:
    """Those of whom nobody has been told, or only when it was not yet so bad."""
    with ledger.read() as tx:
        known = books.credit_told(tx)
    return [s for s in short if known.get((s.partner_sid, s.seller)) not in (s.advice, "suspend")]


def mark_told(ledger: Ledger, short: Sequence[Short], *, at: datetime) -> None:
    """Takes down that somebody knows of these, and of no others."""
    advices = {(s.partner_sid, s.seller): s.advice for s in short}
    with ledger.transaction() as tx:
        books.keep_credit_told(tx, advices, at)
