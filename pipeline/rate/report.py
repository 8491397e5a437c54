"""What a rating run did, in records, seconds and money."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Tally:
    """One group of rated rows. ``usage`` is billed seconds for calls and units for messages."""

    service: str
    side: str
    level: int
    rating_status: str
    reason: str | None
    currency: str | None
    records: int
    usage: Decimal
    amount: Decimal


@dataclass(slots=True)
class RateReport:
    """Days written, unchanged and removed, and what is in the days that were written.

    ``elapsed`` (seconds) is filled in by the caller. ``endpoint_unknown`` counts calls taken as PSTN because their
    endpoint is not known; ``numbers_differ`` those whose original, transformed and called numbers are not the same.
    """

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    tallies: list[Tally] = field(default_factory=list)
    endpoint_unknown: int = 0
    numbers_differ: int = 0
    warnings: tuple[str, ...] = ()
    elapsed: Decimal | None = None

    def add(self, tallies: list[Tally]) -> None:
        """Adds groups, summing those that are alike."""
        for new in tallies:
            self.tallies.append(new)
        merged: dict[tuple, Tally] = {}
        for t in self.tallies:
            key = (t.service, t.side, t.level, t.rating_status, t.reason or "", t.currency or "")
            old = merged.get(key)
            merged[key] = t if old is None else _sum(old, t)
        self.tallies = [merged[key] for key in sorted(merged)]

    def records(
        self, *, status: str | None = None, service: str | None = None, side: str | None = None
    ) -> int:
        """Rows of a kind."""
        return sum(
            t.records
            for t in self.tallies
            if status in (None, t.rating_status) and service in (None, t.service) and side in (None, t.side)
        )

    def reasons(self, status: str, side: str | None = None) -> dict[str, int]:
        """Rows per reason, the most frequent first."""
        counts: dict[str, int] = {}
        for t in self.tallies:
            if t.rating_status == status and side in (None, t.side):
                counts[t.reason or ""] = counts.get(t.reason or "", 0) + t.records
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def amounts(self, side: str) -> dict[str, Decimal]:
        """Rated money per currency; the charge side counts every level."""
        sums: dict[str, Decimal] = {}
        for t in self.tallies:
            if t.side == side and t.rating_status == "rated" and t.currency:
                sums[t.currency] = sums.get(t.currency, Decimal(0)) + t.amount
        return dict(sorted(sums.items()))


def _sum(a: Tally, b: Tally) -> Tally:
    return Tally(
        a.service,
        a.side,
        a.level,
        a.rating_status,
        a.reason,
        a.currency,
        a.records + b.records,
        a.usage + b.usage,
        a.amount + b.amount,
    )
