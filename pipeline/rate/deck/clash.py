"""Refuses a deck whose rows contradict one another, and says what in it is lawful and yet seldom meant.

Two rows for one key in force at once leave the price to chance. Two rows of one prefix with different units leave a
factor of 60 to it: a call that passes from one into the other could not even be added up.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from pipeline.domain.money import plain
from pipeline.domain.rate_plan import Key, Rate, RatePlan, match_key
from pipeline.domain.rate_rows import RateRows
from pipeline.rate.deck.layout import Problems

EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
_SHOWN = 5


def refuse_clashes(plan: RatePlan, lines: Sequence[int], rates: RateRows, problems: Problems) -> None:
    """Two rows for one key in force at once, or of one prefix with different units; a line of 0 is a row that the plan
    has already."""
    service = plan.service
    twice = set(_overlapping(rates, lines, rates.per_terms(lambda terms: match_key(service, terms))))
    for one, two in sorted(twice, key=lambda pair: lines[pair[1]]):
        problems.add(_twice(service, (lines[one], rates[one]), (lines[two], rates[two])))
    shared, _ = rates.shared()
    if service == "message" or len({terms.unit for terms in shared}) < 2:
        return
    for one, two in _overlapping(rates, lines, rates.per_terms(lambda terms: _side_by_side(plan, terms))):
        told = (one, two) in twice or not (lines[one] or lines[two])
        if rates.terms[one].unit != rates.terms[two].unit and not told:
            problems.add(_two_units((lines[one], rates[one]), (lines[two], rates[two])))


def mixed_units(plan: RatePlan, lines: Sequence[int], rates: RateRows) -> tuple[str, ...]:
    """A sentence where the prefixes of a deck have prices per different units, with the lines of the rarer ones."""
    shared, at = rates.shared()
    counts = Counter(shared[n].unit for n in at)
    if plan.unit_rule == "minimum" or len(counts) < 2:
        return ()
    (usual, most), *others = counts.most_common()
    told = [f"per {plain(usual)} s on {most:,} rows"]
    for unit, count in others:
        found = [str(line) for line, n in zip(lines, at, strict=True) if shared[n].unit == unit and line]
        more = ", ..." if len(found) > _SHOWN else ""
        told.append(f"per {plain(unit)} s on {count:,} (line {', '.join(found[:_SHOWN])}{more})")
    return (f"prices are for different units, is that meant? {'; '.join(told)}",)


def named(service: str, key: Key) -> str:
    """A key in words."""
    _, prefix, mcc, mnc, country, origin, jurisdiction, window = key
    if service == "message":
        network = f"mcc {mcc}" + (f" mnc {mnc}" if mnc is not None else "") if mcc is not None else ""
        return network or (f"country {country}" if country else "the default row")
    what = f"prefix {prefix!r}" if prefix else "the default row"
    more = ((f"from {origin}", origin), (jurisdiction, jurisdiction), (f"in window {window}", window))
    return " ".join((what, *(str(text) for text, given in more if given)))


def alike(rates: RateRows, kinds: Sequence[Hashable]) -> list[list[int]]:
    """The places of rows of one prefix and kind, where there is more than one."""
    number: dict[Hashable, int] = {}
    keys = list(zip(rates.prefixes, [number.setdefault(kind, len(number)) for kind in kinds], strict=True))
    if len(set(keys)) == len(keys):
        return []
    groups: dict[tuple[str, int], list[int]] = {}
    for n, key in enumerate(keys):
        groups.setdefault(key, []).append(n)
    return [members for members in groups.values() if len(members) > 1]


def _side_by_side(plan: RatePlan, terms: Rate) -> Hashable:
    """What rows of one prefix must not differ in their units within: where a price is per the row's own minimum, each
    origin and jurisdiction may have its own."""
    return (terms.origin_prefix, terms.jurisdiction) if plan.unit_rule == "minimum" else None


def _overlapping(
    rates: RateRows, lines: Sequence[int], kinds: Sequence[Hashable]
) -> Iterator[tuple[int, int]]:
    """Rows next to each other in time, of one prefix and kind, of which one begins before the other has ended."""
    for members in alike(rates, kinds):
        ordered = sorted(members, key=lambda n: (*_interval(rates.terms[n]), lines[n]))
        for one, two in pairwise(ordered):
            if _interval(rates.terms[two])[0] < _interval(rates.terms[one])[1]:
                yield one, two


def _interval(rate: Rate) -> tuple[datetime, datetime]:
    return rate.effective_from or EVER, rate.effective_to or NEVER


Row = tuple[int, Rate]


def _twice(service: str, one: Row, two: Row) -> str:
    (_, a), (_, b) = one, two
    line, where = _lines(one, two)
    same = "the same rate" if a == b or replace(a, country_code=b.country_code) == b else "another rate"
    what = named(service, match_key(service, b))
    return f"line {line}: {what} is in force at the same time as {where}, with {same}{_back(a, b)}"


def _back(a: Rate, b: Rate) -> str:
    """What to do where a row lies within one that has no end: the earlier might come back, or not."""
    if a.effective_to or not b.effective_to or _interval(a)[0] == _interval(b)[0]:
        return ""
    return f"; does that come back on {b.effective_to:%Y-%m-%d}? Give it an end_date, and what follows then a line"


def _two_units(one: Row, two: Row) -> str:
    line, where = _lines(one, two)
    here, there = (_per(rate.unit) for _, rate in sorted((one, two), key=lambda row: row[0])[::-1])
    what = f"prefix {two[1].prefix!r}" if two[1].prefix else "the default row"
    return (
        f"line {line}: {what} has a price {here} and, in force at the same time, one {there} ({where}): write both "
        "for one unit"
    )


def _per(unit: Decimal) -> str:
    return f"per {plain(unit)} s"


def _lines(one: Row, two: Row) -> tuple[int, str]:
    first, second = sorted((one[0], two[0]))
    return second, f"line {first}" if first else "a row that the plan has already"
