"""Reads a rate deck into a plan of the domain, or says everything that is wrong with it.

Standard library only, and one reader for the import and for ``quote --plan-file``, so that both always agree. The steps
are modules of their own: ``sheet`` makes lines of text, ``header`` finds the columns, ``terms`` the plan's
terms, ``rows`` the rates; this one puts them together and refuses what contradicts itself.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from operator import attrgetter
from pathlib import Path

from pipeline.domain.money import plain
from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.rate_rows import RateRows
from pipeline.rate.deck.clash import refuse_clashes
from pipeline.rate.deck.header import Header, find_header, score
from pipeline.rate.deck.layout import Problems
from pipeline.rate.deck.names import COLUMNS, NETWORKS
from pipeline.rate.deck.rows import RowReader
from pipeline.rate.deck.sheet import Line, read_lines
from pipeline.rate.deck.supersede import superseded
from pipeline.rate.deck.terms import DeckOptions, plan_of

__all__ = ["COLUMNS", "Deck", "DeckOptions", "read_deck", "read_whole", "version_of"]

_ALL_BUT_PREFIX = attrgetter(*(name for name in Rate.__slots__ if name != "prefix"))


@dataclass(frozen=True, slots=True)
class Deck:
    """A deck as it was read: ``rates`` are the plan's, ``lines`` theirs, ``gone`` what it says is no longer offered.

    ``left_out`` are lines that are no rates (totals, remarks), ``not_read`` columns that say nothing about prices,
    and ``columns`` those that do, by our names. ``ended`` says which rows end where another begins.
    """

    plan: RatePlan
    rates: RateRows
    lines: tuple[int, ...]
    gone: tuple[tuple[int, Rate], ...] = ()
    left_out: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    ended: tuple[str, ...] = ()


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
    if plan.service == "call":
        _refuse_networks(header, body, problems)
    problems.raise_if_any(path.name)
    read = RowReader(header, plan, layout).read(body, problems, progress)
    rates = RateRows(read.prefixes, read.terms)
    ended: tuple[str, ...] = ()
    if not options.strict:
        rates, ended = superseded(plan.service, rates, read.lines)
    refuse_clashes(plan, read.lines, rates, problems)
    if not rates and not read.gone and not problems.found:
        problems.add(f"line {header.line + 1}: there is no rate")
    problems.raise_if_any(path.name)
    plan = replace(plan, rates=rates, version=version_of(plan, rates))
    columns = frozenset(header.at) | ({"unit_seconds"} if header.unit else set())
    at, gone, left_out = tuple(read.lines), tuple(read.gone), tuple(read.left_out)
    return Deck(plan, rates, at, gone, left_out, header.not_read, columns, ended)


def _told_apart(header: Header, body: Sequence[Line]) -> Header:
    """A column called country code holds letters, or the digits that are dialled: then it is part of the prefix."""
    at = header.at.get("country_code")
    if at is None or "dial_code" in header.at:
        return header
    texts = set(map(str.strip, {line.cells[at] for line in body if len(line.cells) > at})) - {""}
    if not texts or not all(text.lstrip("+").isdecimal() for text in texts):
        return header
    moved = {"dial_code" if name == "country_code" else name: n for name, n in header.at.items()}
    theirs = {"dial_code" if name == "country_code" else name: text for name, text in header.theirs.items()}
    return replace(header, at=moved, theirs=theirs)


def _refuse_networks(header: Header, body: Sequence[Line], problems: Problems) -> None:
    """Calls are priced by prefix: rows that name a network are most likely those of messages. Said once."""
    theirs = {header.at[name]: header.theirs[name] for name in NETWORKS if name in header.at}
    named = [
        line.number for line in body if any(cell.strip()[:1].isdecimal() for cell in _cells(line, theirs))
    ]
    if not named:
        return
    more = f" and {len(named) - 1:,} more" if len(named) > 1 else ""
    ignored = " ".join(f"--ignore {name!r}" for name in theirs.values())
    problems.add(
        f"line {named[0]}{more}: a network ({', '.join(theirs.values())}) prices messages, not calls. If this is a "
        f'deck of messages, say --service message (in decks.toml: service = "message"); if not, {ignored}'
    )


def _cells(line: Line, places: Iterable[int]) -> list[str]:
    return [line.cells[at] for at in places if at < len(line.cells)]


def version_of(plan: RatePlan, rates: RateRows) -> str:
    """The name of a version: its date, and a hash of its terms and rates, in whatever order they came."""
    terms = replace(plan, version="", effective_from=None, effective_to=None, name="", rates=())
    content = hashlib.sha256(repr(terms).encode())
    texts = sorted(map("|".join, zip(rates.prefixes, rates.per_terms(_text), strict=True)))
    content.update("\n".join(texts).encode())
    return f"{plan.effective_from:%Y%m%d}-{content.hexdigest()[:12]}"


def _text(terms: Rate) -> str:
    values = _ALL_BUT_PREFIX(terms)
    return "|".join(plain(v) if isinstance(v, Decimal) else repr(v) for v in values)
