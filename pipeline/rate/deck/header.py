"""Finds the line that names a deck's columns, below whatever title block there is, and says which column is which.

A column that nobody knows is refused, with the options that settle it: a misspelt ``conect_fee`` that was skipped in
silence would be money lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.masters.vocabulary import CURRENCIES
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.names import COLUMNS, FOREIGN, NOT_READ, PRICES, ours, plain
from pipeline.rate.deck.sheet import COMPLETE, Line

TITLE_LINES = 50
KEYS = ("prefix", "mcc", "mccmnc", "country_code", "country", "area_code", "dial_code", "npanxx")
_EXCLUSIVE = {"jurisdiction": tuple(PRICES)[1:], "npanxx": ("prefix", "area_code", "dial_code")}
_LETTERS = frozenset(CURRENCIES)


@dataclass(frozen=True, slots=True)
class Header:
    """Where each of our columns is, and what the names say about the prices."""

    line: int
    width: int
    at: dict[str, int]
    theirs: dict[str, str]
    unit: str = ""
    currency: str = ""
    not_read: tuple[str, ...] = ()


def score(cells: Sequence[str], layout: Layout) -> int:
    """How much a line looks like a header: the columns that it names, and whether rates can be read by them."""
    if layout.columns:
        return int(len(cells) == len(layout.columns))
    found = {name for name, _, _ in (_target(cell, layout) for cell in cells) if name}
    return len(found) + (COMPLETE if found & set(PRICES) and found & set(KEYS) else 0)


def find_header(lines: Sequence[Line], layout: Layout, problems: Problems) -> tuple[Header, Sequence[Line]]:
    """The header and the lines below it."""
    if not lines:
        problems.add("line 1: the file is empty; its first line must name the columns")
        return Header(1, 0, {}, {}), []
    if layout.columns:
        return _header(0, layout.columns, layout, problems), lines
    scores = [score(line.cells, layout) for line in lines[:TITLE_LINES]]
    best = scores.index(max(scores))
    header = _header(lines[best].number, lines[best].cells, layout, problems)
    if best + 1 == len(lines) and not problems.found:
        problems.add(f"line {header.line + 1}: there is no rate")
    return header, lines[best + 1 :]


def _target(name: str, layout: Layout) -> tuple[str, str, str]:
    mapped = {plain(theirs): mine for theirs, mine in layout.names}
    if plain(name) in mapped:
        return mapped[plain(name)], "", ""
    return ours(name, _LETTERS)


def _header(line: int, cells: Sequence[str], layout: Layout, problems: Problems) -> Header:
    at: dict[str, int] = {}
    theirs: dict[str, str] = {}
    not_read, units, currencies = [], set(), set()
    ignored = {plain(name) for name in layout.ignore}
    for n, cell in enumerate(cells):
        name, unit, currency = ("", "", "") if plain(cell) in ignored else _target(cell, layout)
        if (
            not cell.strip()
            or plain(cell) in ignored
            or name == NOT_READ
            or (not name and "*" in layout.ignore)
        ):
            not_read += [cell.strip()] if cell.strip() else []
        elif name not in (*COLUMNS, *FOREIGN):
            problems.add(_unknown(line, cell, name))
        elif name in at:
            problems.add(_twice(line, theirs[name], cell, name))
        else:
            at[name], theirs[name] = n, cell.strip()
            units |= {unit} - {""}
            currencies |= {currency} - {""}
    if problems.found:
        problems.add(f"our columns are {', '.join((*COLUMNS, *FOREIGN))}")
    _check(line, cells, at, layout, problems)
    if len(units) > 1 or len(currencies) > 1:
        problems.add(f"line {line}: its price columns differ in unit or currency; import them one by one")
    return Header(line, len(cells), at, theirs, "".join(units), "".join(currencies), tuple(not_read))


def _check(line: int, cells: Sequence[str], at: dict[str, int], layout: Layout, problems: Problems) -> None:
    known = {plain(cell) for cell in cells}
    for theirs, _ in layout.names:
        if plain(theirs) not in known:
            problems.add(f"line {line}: there is no column {theirs!r} to map; there are {_listed(cells)}")
    for one, others in _EXCLUSIVE.items():
        for other in others:
            if one in at and other in at:
                problems.add(f"line {line}: {one} and {other} say the same twice: leave one with --ignore")
    if not set(at) & set(PRICES):
        problems.add(
            f"line {line}: there is no column 'price'; name it with --map THEIRS=price ({_listed(cells)})"
        )
    if not set(at) & set(KEYS):
        problems.add(
            f"line {line}: there is no column 'prefix' (messages: 'mcc' or 'country_code'); name it with "
            f"--map THEIRS=prefix ({_listed(cells)})"
        )


def _unknown(line: int, cell: str, name: str) -> str:
    if name:
        return f"line {line}: {cell.strip()!r} is mapped to {name!r}, which is no column of ours"
    text = repr(cell.strip())
    return (
        f"line {line}: unknown column {text}: read it with --map {text}=OURS or leave it with --ignore {text}"
    )


def _twice(line: int, first: str, second: str, name: str) -> str:
    if plain(first) == plain(second):
        return f"line {line}: column {second.strip()!r} is there twice"
    return (
        f"line {line}: columns {first!r} and {second.strip()!r} both read as {name}: say which is not to be read with "
        f"--ignore, or what else it is with --map"
    )


def _listed(cells: Sequence[str]) -> str:
    return ", ".join(repr(cell.strip()) for cell in cells[:20]) or "none"
