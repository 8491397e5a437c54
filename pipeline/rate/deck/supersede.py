"""Ends a row where a later one of its key begins: carriers send the price of today, and the one from a day on, without
an end.

Of rows that begin at different times, the last to have begun holds; so a row without an end holds until the next one
begins. What can be read in two ways is left as it is, and refused as a clash: rows that begin together, an end of its
own behind the next beginning, and a row that ends with nothing behind it, where the earlier might come back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from pipeline.domain.rate_plan import Rate, match_key
from pipeline.domain.rate_rows import RateRows
from pipeline.rate.deck.clash import EVER, alike, named
from pipeline.rate.deck.diff import price_text

_DAY = timedelta(days=1)


def superseded(
    service: str, rates: RateRows, lines: Sequence[int], *, after: datetime = EVER
) -> tuple[RateRows, tuple[str, ...]]:
    """The rates with an end where a later row gives them one, and a sentence for each.

    A line of 0 is a row that the plan has already. Nothing ends at ``after`` or before it.
    """
    ended = [pair for members in _by_key(service, rates) for pair in _chain(rates, members, after)]
    if not ended:
        return rates, ()
    terms = list(rates.terms)
    made: dict[tuple[int, datetime], Rate] = {}
    for row, by in ended:
        end = _start(rates.terms[by])
        key = (id(rates.terms[row]), end)
        terms[row] = made.get(key) or made.setdefault(key, replace(rates.terms[row], effective_to=end))
    told = tuple(_told(service, rates, lines, row, by) for row, by in sorted(ended))
    return RateRows(rates.prefixes, terms), told


def days_between(service: str, rates: RateRows, lines: Sequence[int]) -> tuple[str, ...]:
    """A sentence where a row ends at the beginning of the day before the next: its last day was meant to be in it."""
    found = []
    for members in _by_key(service, rates):
        for one, two in pairwise(members):
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
    groups = alike(rates, rates.per_terms(lambda terms: match_key(service, terms)))
    return [sorted(members, key=lambda n: _start(rates.terms[n])) for members in groups]


def _chain(rates: RateRows, members: Sequence[int], after: datetime) -> Iterator[tuple[int, int]]:
    """From the last row back: each ends the one before it, if from its beginning on there is a rate for ever."""
    goes_on = rates.terms[members[-1]].effective_to is None
    for row, by in reversed(list(pairwise(members))):
        end, begins = rates.terms[row].effective_to, _start(rates.terms[by])
        if end is not None:
            goes_on = goes_on and end == begins
        elif not goes_on:
            goes_on = True
        elif begins > max(after, _start(rates.terms[row])):
            yield row, by


def _told(service: str, rates: RateRows, lines: Sequence[int], row: int, by: int) -> str:
    one, other = (f"line {lines[n]}" if lines[n] else "a row that the plan has already" for n in (row, by))
    what = named(service, match_key(service, rates[row]))
    before, since = rates.terms[row], rates.terms[by]
    return f"{one}: {what} at {_price(before)} ends {_day(_start(since))}, superseded by {other} at {_price(since)}"


def _start(terms: Rate) -> datetime:
    return terms.effective_from or EVER


def _price(terms: Rate) -> str:
    return price_text(terms) if terms.priced else "no price"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if not (at.hour or at.minute or at.second) else f"{at:%Y-%m-%d %H:%M:%S}"
