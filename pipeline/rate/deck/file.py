"""Reads a rate deck into a plan of the domain, or says everything that is wrong with it.

Standard library only, and one reader for the import and for ``quote --plan-file``, so that both always agree. The steps
are modules of their own: ``sheet`` makes lines of text, ``header`` finds the columns, ``terms`` the plan's
terms, ``rows`` the rates; this one puts them together and refuses what contradicts itself.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

from pipeline.domain.rate_plan import Key, Rate, RatePlan, match_key
from pipeline.rate.deck.header import Header, find_header, score
from pipeline.rate.deck.layout import Problems
from pipeline.rate.deck.names import COLUMNS
from pipeline.rate.deck.rows import RowReader
from pipeline.rate.deck.sheet import Line, read_lines
from pipeline.rate.deck.terms import DeckOptions, plan_of

__all__ = ["COLUMNS", "Deck", "DeckOptions", "read_deck", "read_whole", "refuse_overlaps", "version_of"]

_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_ALL_BUT_PREFIX = attrgetter(*(name for name in Rate.__slots__ if name != "prefix"))


@dataclass(frozen=True, slots=True)
class Deck:
    """A deck as it was read: ``lines`` are those of the plan's rates, ``gone`` what it says is no longer offered.

    ``left_out`` are lines that are no rates (totals, remarks), ``not_read`` columns that say nothing about prices,
    and ``columns`` those that do, by our names.
    """

    plan: RatePlan
    lines: tuple[int, ...]
    gone: tuple[tuple[int, Rate], ...] = ()
    left_out: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()


def _quiet(_text: str) -> None: ...


def read_deck(path: Path, options: DeckOptions) -> RatePlan:
    """The plan of a deck file, read whole.

    Raises:
        DeckError: its ``problems`` name every line that is wrong, and how.
    """
    return read_whole(path, options).plan


def read_whole(path: Path, options: DeckOptions, progress: Callable[[str], None] = _quiet) -> Deck:
    """Reads a deck file with everything that an import wants to know of it.

    Raises:
        DeckError: its ``problems`` name every line that is wrong, and how.
    """
    problems = Problems()
    layout = options.layout
    progress(f"reading {path.name}")
    lines = read_lines(path, layout, partial(score, layout=layout), problems)
    problems.raise_if_any(path.name)
    header, body = find_header(lines, layout, problems)
    problems.raise_if_any(path.name)
    header = _told_apart(header, body)
    plan = plan_of(header, body, options, problems)
    problems.raise_if_any(path.name)
    read = RowReader(header, plan, layout).read(body, problems, progress)
    refuse_overlaps(plan.service, read.lines, read.rates, problems)
    if not read.rates and not read.gone and not problems.found:
        problems.add(f"line {header.line + 1}: there is no rate")
    problems.raise_if_any(path.name)
    plan = replace(plan, rates=tuple(read.rates), version=version_of(plan, read.rates))
    columns = frozenset(header.at) | ({"unit_seconds"} if header.unit else set())
    return Deck(plan, tuple(read.lines), tuple(read.gone), tuple(read.left_out), header.not_read, columns)


def _told_apart(header: Header, body: Sequence[Line]) -> Header:
    """A column called country code holds letters, or the digits that are dialled: then it is part of the prefix."""
    at = header.at.get("country_code")
    if at is None or "dial_code" in header.at:
        return header
    texts = {line.cells[at].strip() for line in body if len(line.cells) > at} - {""}
    if not texts or not all(text.lstrip("+").isdecimal() for text in texts):
        return header
    moved = {"dial_code" if name == "country_code" else name: n for name, n in header.at.items()}
    theirs = {"dial_code" if name == "country_code" else name: text for name, text in header.theirs.items()}
    return replace(header, at=moved, theirs=theirs)


def refuse_overlaps(service: str, lines: Sequence[int], rates: Sequence[Rate], problems: Problems) -> None:
    """Two rows for one key must not be in force at once; a line of 0 is a row that the plan has already."""
    groups: dict[Key, list[int]] = {}
    for n, rate in enumerate(rates):
        groups.setdefault(match_key(service, rate), []).append(n)
    for key, members in groups.items():
        if len(members) > 1:
            ordered = sorted(members, key=lambda n: (*_interval(rates[n]), lines[n]))
            for one, two in pairwise(ordered):
                if _interval(rates[two])[0] < _interval(rates[one])[1]:
                    problems.add(_clash(service, key, (lines[one], rates[one]), (lines[two], rates[two])))


def _interval(rate: Rate) -> tuple[datetime, datetime]:
    return rate.effective_from or _EVER, rate.effective_to or _NEVER


def _clash(service: str, key: Key, one: tuple[int, Rate], two: tuple[int, Rate]) -> str:
    (first, a), (second, b) = sorted((one, two), key=lambda pair: pair[0])
    where = f"line {first}" if first else "a row that the plan has already"
    same = "the same rate" if a == b or replace(a, country_code=b.country_code) == b else "another rate"
    return f"line {second}: {named(service, key)} is in force at the same time as {where}, with {same}"


def named(service: str, key: Key) -> str:
    """A key in words."""
    _, prefix, mcc, mnc, country, origin, jurisdiction, window = key
    if service == "message":
        network = f"mcc {mcc}" + (f" mnc {mnc}" if mnc is not None else "") if mcc is not None else ""
        return network or (f"country {country}" if country else "the default row")
    what = f"prefix {prefix!r}" if prefix else "the default row"
    more = ((f"from {origin}", origin), (jurisdiction, jurisdiction), (f"in window {window}", window))
    return " ".join((what, *(str(text) for text, given in more if given)))


def version_of(plan: RatePlan, rates: Iterable[Rate]) -> str:
    """The name of a version: its date, and a hash of its terms and rates, in whatever order they came."""
    terms = replace(plan, version="", effective_from=None, effective_to=None, name="", rates=())
    content = hashlib.sha256(repr(terms).encode())
    texts = sorted(f"{rate.prefix}|{_text(_ALL_BUT_PREFIX(rate))}" for rate in rates)
    content.update("\n".join(texts).encode())
    return f"{plan.effective_from:%Y%m%d}-{content.hexdigest()[:12]}"


@lru_cache(maxsize=100_000)
def _text(values: tuple[object, ...]) -> str:
    return "|".join(f"{v.normalize():f}" if isinstance(v, Decimal) else repr(v) for v in values)
