"""Finds the line that names a deck's columns, below whatever title block there is, and says which column is which.

A column that nobody knows is refused, with the options that settle it: a misspelt ``conect_fee`` that was skipped in
silence would be money lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.masters.vocabulary import CURRENCIES
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.names import COLUMNS, FOREIGN, NOT_READ, PRICES, ours, plain
from pipeline.rate.deck.sheet import COMPLETE, Line

TITLE_LINES = 50
_LOOKED_FOR = {
    "price": "price, rate, cost, Preis, tarif, precio",
    "prefix": "prefix, code, dial code, Vorwahl, indicatif, prefijo; for messages mcc or country_code",
}
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
    best = _best(lines[:TITLE_LINES], layout)
    header = _header(lines[best].number, lines[best].cells, layout, problems)
    if best + 1 == len(lines) and not problems.found:
        problems.add(f"line {header.line + 1}: there is no rate")
    return header, lines[best + 1 :]


def _best(lines: Sequence[Line], layout: Layout) -> int:
    """The line that reads best; where none names a price and a key, of those the one with most words, and cells."""
    scores = [score(line.cells, layout) for line in lines]
    highest = max(scores)
    if highest >= COMPLETE:
        return scores.index(highest)
    words = [sum(any(map(str.isalpha, cell)) for cell in line.cells) for line in lines]
    filled = [sum(map(bool, map(str.strip, line.cells))) for line in lines]
    return max(range(len(lines)), key=lambda n: (scores[n], words[n], filled[n]))


def _target(name: str, layout: Layout) -> tuple[str, str, str]:
    mapped = {plain(theirs): mine for theirs, mine in layout.names}
    if plain(name) in mapped:
        return mapped[plain(name)], "", ""
    return ours(name, _LETTERS)


def _header(line: int, cells: Sequence[str], layout: Layout, problems: Problems) -> Header:
    at: dict[str, int] = {}
    theirs: dict[str, str] = {}
    not_read, wrong, units, currencies = [], [], set(), set()
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
            wrong.append(_unknown(line, cell, name))
        elif name in at:
            wrong.append(_twice(line, theirs[name], cell, name))
        else:
            at[name], theirs[name] = n, cell.strip()
            units |= {unit} - {""}
            currencies |= {currency} - {""}
    if wrong:
        wrong.append(f"our columns are {', '.join((*COLUMNS, *FOREIGN))}")
    for text in (*_needed(line, cells, at), *wrong):
        problems.add(text)
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


def _needed(line: int, cells: Sequence[str], at: dict[str, int]) -> Iterator[str]:
    """What is said where no line names a price and what it is for: which was taken for the header all the same."""
    kinds = {"prefix": KEYS, "price": tuple(PRICES)}
    missing = [name for name, columns in kinds.items() if not set(at) & set(columns)]
    if not missing:
        return
    free = [cell.strip() for n, cell in enumerate(cells) if cell.strip() and n not in at.values()]
    theirs = (*free, *("THEIRS",) * len(missing))
    example = " ".join(f"--map {text + '=' + name!r}" for name, text in zip(missing, theirs, strict=False))
    what = " and ".join(f"no column {name!r} (looked for {_LOOKED_FOR[name]})" for name in missing)
    where = f"line {line} was taken for the header, and there is" if line else "--columns names"
    yield (
        f"{where} {what}; it has {_listed(cells)}. Say which is which, for example {example}; a file that does not "
        "name its columns needs --columns"
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
