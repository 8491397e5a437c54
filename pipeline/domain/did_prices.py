"""Price lists for phone numbers: by prefix, in marginal steps of how many are held.

The first hundred at one price, those above it at the next: a number's place among the numbers of its row decides, so
one number more never makes the others cheaper or dearer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.domain.period import in_force


@dataclass(frozen=True, slots=True)
class DidPrice:
    """The monthly rent of numbers that begin with ``prefix`` (empty: of any).

    ``steps`` are (numbers before it, price) in rising order, the first with 0 before it.
    """

    partner_sid: str
    prefix: str
    currency: str
    steps: tuple[tuple[int, Decimal], ...]
    start: date | None = None
    end: date | None = None

    def price(self, before: int) -> Decimal:
        """The rent of a number with so many of its row before it."""
        return next(price for after, price in reversed(self.steps) if after <= before)


def row_of(prices: Sequence[DidPrice], partner_sid: str, phonenumber: str, day: date) -> DidPrice | None:
    """The row of a number on a day: a customer's own before everybody's, then the longest prefix."""
    found = [p for p in prices if phonenumber.startswith(p.prefix) and in_force(p.start, p.end, day)]
    return max(found, key=lambda p: (p.partner_sid == partner_sid, len(p.prefix)), default=None)
