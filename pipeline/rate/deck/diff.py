"""What differs between two versions of a plan, key by key, and which way.

Prices are compared per second, so that a price per minute and one per second can be told apart from a rise. Where a key
has several rows with dates of their own, the last to begin is compared.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from heapq import nsmallest
from typing import TextIO

from pipeline.domain.money import plain
from pipeline.domain.rate_plan import Key, Rate, RatePlan, match_key
from pipeline.domain.rate_rows import RateRows

NEW, GONE, UP, DOWN, BLOCKED, OPENED, TERMS = "new", "gone", "up", "down", "blocked", "opened", "terms"
KINDS = (NEW, GONE, UP, DOWN, BLOCKED, OPENED, TERMS)
COLUMNS = (
    *("change", "prefix", "origin_prefix", "jurisdiction", "window", "mcc", "mnc", "country_code"),
    *("old_price", "price", "percent", "effective_date"),
)
_PERCENT = Decimal("0.1")
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RateChange:
    """One key whose rate differs; None where a side has no row for it. ``starts`` is when it begins to hold.

    ``before`` and ``after`` are terms without their prefix: that is the key's.
    """

    key: Key
    kind: str
    before: Rate | None
    after: Rate | None
    starts: datetime | None

    @property
    def prefix(self) -> str:
        return self.key[1]

    @property
    def percent(self) -> Decimal | None:
        """The rise of the price; None where there is no price to compare."""
        if self.kind not in (UP, DOWN) or not self.before or not self.after:
            return None
        old, new = _by_unit(self.before, self.after)
        return ((new - old) * 100 / old).quantize(_PERCENT, ROUND_HALF_UP) if old else None


@dataclass(frozen=True, slots=True)
class Diff:
    """All that differs between two versions, and how many keys do not; ``later`` begin after the version does."""

    changes: tuple[RateChange, ...]
    unchanged: int
    later: int
    counts: dict[str, int] = field(default_factory=dict)

    def biggest(self, most: int) -> list[RateChange]:
        """The changes that matter most: blocked and gone first, then by how much the price moves."""
        return nsmallest(most, self.changes, key=_weight) if most else []


def diff(before: RatePlan | None, after: RatePlan) -> Diff:
    """Compares a version with the one before it, if any."""
    old = _latest(before) if before else {}
    new = _latest(after)
    compared: dict[tuple[int, int], tuple[str, datetime | None] | None] = {}
    changes: list[RateChange] = []
    for kind in sorted(old.keys() | new.keys(), key=_order):
        was, now = old.get(kind, {}), new.get(kind, {})
        for prefix in sorted(was.keys() | now.keys()):
            one, other = was.get(prefix), now.get(prefix)
            # Few sets of terms stand behind many prefixes: two that were compared once need not be again.
            pair = (id(one), id(other))
            if pair not in compared:
                compared[pair] = _change(one, other, after)
            if found := compared[pair]:
                changes.append(RateChange((kind[0], prefix, *kind[2:]), found[0], one, other, found[1]))
    if len(old.keys() | new.keys()) > 1:
        changes.sort(key=lambda change: _order(change.key))
    start = after.effective_from
    later = sum(c.starts is not None and start is not None and c.starts > start for c in changes)
    counted = Counter(c.kind for c in changes)
    counts = {kind: counted[kind] for kind in KINDS}
    rows = sum(map(len, new.values()))
    return Diff(tuple(changes), rows - sum(c.after is not None for c in changes), later, counts)


def compare(before: RatePlan, after: RatePlan) -> list[RateChange]:
    """The keys whose rates differ, in order."""
    return list(diff(before, after).changes)


def write_changes(changes: Iterable[RateChange], out: TextIO) -> None:
    """The changes as CSV."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c in changes:
        _, prefix, mcc, mnc, _, *rest = c.key
        country = next((terms.country_code for terms in (c.after, c.before) if terms), None)
        where = (prefix, *rest, mcc, mnc, country)
        prices = (price_text(c.before), price_text(c.after))
        start = f"{c.starts:%Y-%m-%dT%H:%M:%SZ}" if c.starts else ""
        writer.writerow((c.kind, *("" if v is None else v for v in where), *prices, c.percent, start))


def price_text(rate: Rate | None) -> str:
    """A price in full; empty where there is none."""
    return "" if rate is None or rate.price is None else plain(rate.price)


def _change(before: Rate | None, after: Rate | None, plan: RatePlan) -> tuple[str, datetime | None] | None:
    """What has become of a row, and from when on; None where nothing has."""
    kind = _kind(before, after)
    if kind is None or after is None:
        return (kind, plan.effective_from) if kind else None
    starts = after.effective_to if kind == GONE else after.effective_from
    return kind, max(filter(None, (starts, plan.effective_from)), default=None)


def _kind(before: Rate | None, after: Rate | None) -> str | None:
    if before is None or after is None:
        return NEW if before is None else GONE
    if after.effective_to is not None and before.effective_to is None:
        return GONE
    if before.priced != after.priced:
        return BLOCKED if before.priced else OPENED
    old, new = _by_unit(before, after) if before.priced else (Decimal(0), Decimal(0))
    if old != new:
        return UP if old < new else DOWN
    same = replace(
        before,
        price=after.price,
        country_code=after.country_code,
        effective_from=after.effective_from,
        effective_to=after.effective_to,
    )
    return None if same == after else TERMS


def _by_unit(before: Rate, after: Rate) -> tuple[Decimal, Decimal]:
    """Both prices per the product of both units: exact, and comparable."""
    return (before.price or Decimal(0)) * after.unit, (after.price or Decimal(0)) * before.unit


def _latest(plan: RatePlan) -> dict[Key, dict[str, Rate]]:
    """The terms that begin last, by what a row is found by but its prefix, and then by that."""
    rows = RateRows.of(plan.rates)
    keys = rows.per_terms(lambda terms: match_key(plan.service, terms))
    found: dict[Key, dict[str, Rate]] = {key: {} for key in set(keys)}
    ordered: Iterable[tuple[str, Key, Rate]] = zip(rows.prefixes, keys, rows.terms, strict=True)
    if any(terms.effective_from for terms in rows.shared()[0]):
        ordered = sorted(ordered, key=lambda row: row[2].effective_from or _EVER)
    for prefix, key, terms in ordered:
        found[key][prefix] = terms
    return found


def _order(key: Key) -> tuple[str, ...]:
    return tuple("" if part is None else str(part) for part in key)


def _weight(change: RateChange) -> tuple[int, Decimal, tuple[str, ...]]:
    rank = {BLOCKED: 0, UP: 1, DOWN: 1}.get(change.kind, 2)
    return rank, -abs(change.percent or Decimal(0)), _order(change.key)
