"""What a deck makes of the version in force: a whole new one, more rows, or other rows from their dates on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.domain.rate_plan import Key, Rate, RatePlan, match_key
from pipeline.domain.rate_rows import RateRows
from pipeline.rate.deck.clash import EVER, NEVER, refuse_clashes
from pipeline.rate.deck.file import Deck, version_of
from pipeline.rate.deck.layout import Problems
from pipeline.rate.deck.supersede import superseded
from pipeline.rate.deck.terms import terms_text

REPLACE, ADD, CHANGE = "replace", "add", "change"
MODES = (REPLACE, ADD, CHANGE)
_COLUMNS_OF = {
    "country_code": frozenset(("country_code", "country")),
    "increment": frozenset(("billing_increment",)),
    "minimum": frozenset(("billing_minimum",)),
    "grace": frozenset(("grace_seconds",)),
    "unit": frozenset(("unit_seconds",)),
    "connect_fee": frozenset(("connect_fee",)),
    "min_charge": frozenset(("min_charge",)),
    "max_charge": frozenset(("max_charge",)),
    "steps": frozenset(("steps",)),
}


def merged(base: RatePlan, deck: Deck, mode: str, problems: Problems) -> tuple[RatePlan, tuple[str, ...]]:
    """The version that comes of adding to a version, or of changing rows of it; and which rows of it end where another
    begins.

    A row that is added later than the version begins ends the one that is there, as within a deck; what holds when it
    begins is only ever changed by ``change``.
    """
    _check_terms(base, deck.plan, problems)
    rates, lines = _added(base, deck, problems) if mode == ADD else _changed(base, deck)
    ended: tuple[str, ...] = ()
    if mode == ADD:
        rates, ended = superseded(base.service, rates, lines, after=deck.plan.effective_from or EVER)
    refuse_clashes(base, lines, rates, problems)
    plan = replace(
        base, rates=(), name=deck.plan.name, effective_from=deck.plan.effective_from, effective_to=None
    )
    return replace(plan, rates=rates, version=version_of(plan, rates)), ended


def _check_terms(base: RatePlan, given: RatePlan, problems: Problems) -> None:
    old, new = terms_text(base), terms_text(given)
    for name in old:
        if old[name] != new[name]:
            problems.add(
                f"{name} is {old[name] or 'any'!r} in the plan and {new[name] or 'any'!r} in this import: leave it "
                "out, or replace the whole version"
            )


def _added(base: RatePlan, deck: Deck, problems: Problems) -> tuple[RateRows, list[int]]:
    """The rows of the version and those of the deck; a row that is there already, to the last digit, is no clash."""
    there = set(base.rates)
    fresh = [(line, rate) for line, rate in zip(deck.lines, deck.rates, strict=True) if rate not in there]
    for line, _ in deck.gone:
        problems.add(f"line {line} says that a row is gone: import the deck with --mode change")
    rates = RateRows.of([*base.rates, *(rate for _, rate in fresh)])
    return rates, [0] * len(base.rates) + [line for line, _ in fresh]


def _changed(base: RatePlan, deck: Deck) -> tuple[RateRows, list[int]]:
    """Rows of the deck, and those of the version for the time and keys that the deck says nothing about."""
    taken: dict[Key, list[Rate]] = {}
    for rate in (*deck.rates, *(rate for _, rate in deck.gone)):
        taken.setdefault(match_key(base.service, rate), []).append(rate)
    start = deck.plan.effective_from or EVER
    kept: list[Rate] = []
    there: dict[Key, Rate] = {}
    for old in base.rates:
        key = match_key(base.service, old)
        if key in taken and (old.effective_to or NEVER) > start:
            there[key] = old
        kept += _left(old, taken.get(key, ()), start)
    unsaid = [name for name, columns in _COLUMNS_OF.items() if not deck.columns & columns]
    others = (_filled(rate, there.get(match_key(base.service, rate)), unsaid) for rate in deck.rates)
    return RateRows.of([*kept, *others]), [0] * len(kept) + list(deck.lines)


def _filled(rate: Rate, old: Rate | None, unsaid: Sequence[str]) -> Rate:
    """A row with what the deck has no column for as it was: a new price alone leaves increments and fees."""
    if old is None:
        return rate
    same = {name: getattr(old, name) for name in unsaid if name != "minimum" or not rate.minimum}
    return replace(rate, **same)


def _left(old: Rate, taken: Sequence[Rate], start: datetime) -> Iterable[Rate]:
    """What remains of a row beside others for its key: the time before and after them, from ``start`` on."""
    if not taken:
        return [old]
    pieces = [(old.effective_from or EVER, old.effective_to or NEVER)]
    for rate in taken:
        begin, end = rate.effective_from or EVER, rate.effective_to or NEVER
        pieces = [
            part for a, b in pieces for part in ((a, min(b, begin)), (max(a, end), b)) if part[0] < part[1]
        ]
    return [
        replace(old, effective_from=None if a == EVER else a, effective_to=None if b == NEVER else b)
        for a, b in pieces
        if b > start
    ]
