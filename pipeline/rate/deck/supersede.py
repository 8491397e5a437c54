"""Ends a row where a later one of its key begins: carriers send the price of today, and the one from a day on, without
an end.

Of rows that begin at different times, the last to have begun holds; so a row without an end holds until the next one
begins. What can be read in two ways is left as it is, and refused as a clash: rows that begin together, an end of its
own behind the next beginning, and a row that ends with nothing behind it, where the earlier might come back.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.domain.rate_plan import Rate, match_key
from pipeline.domain.rate_rows import RateRows
from pipeline.rate.deck.clash import EVER, alike, named
from pipeline.rate.deck.diff import price_text

_DAY = timedelta(days=1)


class Ended(NamedTuple):
    """A row, by its place, that ends where another begins."""

    row: int
    by: int


def superseded(
    service: str, rates: RateRows, *, after: datetime = EVER
) -> tuple[RateRows, tuple[Ended, ...]]:
    """The rates with an end where a later row gives them one, and which those are; nothing ends at or before
    ``after``."""
    ended: list[Ended] = []
    for members in _by_key(service, rates):
        ended += _chain(rates, members, after)
    if not ended:
        return rates, ()
    terms = list(rates.terms)
    made: dict[tuple[int, datetime], Rate] = {}
    for row, by in ended:
        end = _start(rates.terms[by])
        key = (id(rates.terms[row]), end)
        terms[row] = made.get(key) or made.setdefault(key, replace(rates.terms[row], effective_to=end))
    return RateRows(rates.prefixes, terms), tuple(sorted(ended))


def ended_in_words(
    service: str, rates: RateRows, lines: Sequence[int], ended: Sequence[Ended]
) -> tuple[str, ...]:
    """A sentence for each row that ends, by lines; a line of 0 is a row that the plan has already."""

    def told(n: int) -> str:
        return f"line {lines[n]}" if lines[n] else "a row that the plan has already"

    return tuple(
        f"{told(row)}: {named(service, match_key(service, rates[row]))} at {_price(rates.terms[row])} ends "
        f"{_day(_start(rates.terms[by]))}, superseded by {told(by)} at {_price(rates.terms[by])}"
        for row, by in ended
    )


def days_between(service: str, rates: RateRows, lines: Sequence[int]) -> tuple[str, ...]:
    """A sentence where a row ends at the beginning of the day before the next: its last day was meant to be in it."""
    found = []
    for members in _by_key(service, rates):
        for one, two in zip(members, members[1:], strict=False):
            end, start = rates.terms[one].effective_to, _start(rates.terms[two])
            if end and start - end == _DAY:
                what = named(service, match_key(service, rates[one]))
                found.append(
                    f"line {lines[one]}: {what} has no rate on {_day(end)}, between line {lines[one]} and line "
                    f"{lines[two]}: an end_date is the first day that is not in it, is {_day(start)} meant?"
                )
    return tuple(found)


def _by_key(service: str, rates: RateRows) -> list[list[int]]:
    """Rows of one key, where there are several, in the order in which they begin."""
    keyed: Callable[[Rate], object] = lambda terms: match_key(service, terms)  # noqa: E731
    groups = alike(rates, rates.per_terms(keyed))
    return [sorted(members, key=lambda n: _start(rates.terms[n])) for members in groups]


def _chain(rates: RateRows, members: Sequence[int], after: datetime) -> list[Ended]:
    """From the last row back: one may end the row before it if what it begins goes on without a gap."""
    found = []
    goes_on = True
    for n, (row, by) in enumerate(zip(members[-2::-1], members[:0:-1], strict=True)):
        end, begins = rates.terms[row].effective_to, _start(rates.terms[by])
        if n == 0:
            goes_on = rates.terms[by].effective_to is None
        if end is not None:
            goes_on = goes_on and end == begins
        elif goes_on and begins > max(after, _start(rates.terms[row])):
            found.append(Ended(row, by))
    return found


def _start(terms: Rate) -> datetime:
    return terms.effective_from or EVER


def _price(terms: Rate) -> str:
    return price_text(terms) if terms.priced else "no price"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if not (at.hour or at.minute or at.second) else f"{at:%Y-%m-%d %H:%M:%S}"
