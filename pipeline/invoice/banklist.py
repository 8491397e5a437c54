"""A bank's list of payments as it comes: a CSV with a date, an amount and a reference in each line.

It is read whole or not at all, by what a person says of it where it does not say itself. Text above the line that names
the columns is passed over. A date or an amount that could mean two things is refused by line: a payment of 1,234 is one
of little more than a unit, or of more than a thousand.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipeline.domain import written
from pipeline.errors import MasterError

COLUMNS = ("date", "amount", "reference")
_DELIMITERS = (",", ";", "\t", "|")
_TITLE_LINES = 50
_SHOWN = 5
_Lines = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class BankLayout:
    """How a bank's list is written: its own names of our columns, and what ``plans import`` is told of a deck as well.

    What is empty is found out; without ``decimal``, an amount that can be read in two ways is refused.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""
    date_format: str = ""
    delimiter: str = ""
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class BankRow:
    """One row of a bank's list, with its date as it is written; ``why`` says what keeps it from being booked."""

    line: int
    written: str
    day: date
    amount: Decimal
    reference: str
    why: str = ""


def bank_rows(path: Path, layout: BankLayout) -> list[BankRow]:
    """The rows of a bank's list.

    Raises:
        MasterError: the file cannot be read, or a line of it; the message names all that are wrong.
    """
    lines, at = _columns(path, _text(path, layout), layout)
    rows: list[BankRow] = []
    wrong: list[str] = []
    for number, cells in lines:
        texts = {name: cells[n].strip() if n < len(cells) else "" for name, n in at.items()}
        found = _row(number, texts, layout)
        if isinstance(found, BankRow):
            rows.append(found)
        else:
            wrong += found
    if wrong:
        more = f" (and {len(wrong) - _SHOWN:,} more)" if len(wrong) > _SHOWN else ""
        msg = f"{path.name} cannot be read: {'; '.join(wrong[:_SHOWN])}{more}. Nothing was booked."
        raise MasterError(msg)
    return rows


def named(rows: Iterable[BankRow]) -> Iterable[tuple[str, BankRow]]:
    """Each row with the id of its transaction: the same row again in one list is another payment."""
    seen: Counter[str] = Counter()
    for row in rows:
        content = f"{row.written}|{row.amount.normalize():f}|{row.reference}"
        seen[content] += 1
        digest = hashlib.sha256(f"{content}|{seen[content]}".encode()).hexdigest()
        yield f"bank:{digest[:40]}", row


def _row(line: int, texts: Mapping[str, str], layout: BankLayout) -> BankRow | list[str]:
    """A row, or what is wrong with it."""
    wrong = []
    try:
        day = written.instant(texts["date"], layout.date_format).date()
    except ValueError as error:
        wrong.append(f"line {line}: the date {texts['date']!r} {error}")
    try:
        amount = written.amount(texts["amount"], layout.decimal)
    except ValueError as error:
        wrong.append(f"line {line}: the amount {texts['amount']!r} {error}")
    return wrong or BankRow(line, texts["date"], day, amount, texts["reference"])


def _text(path: Path, layout: BankLayout) -> str:
    try:
        data = path.read_bytes()
        return data.decode(written.encoding_of(data, layout.encoding))
    except LookupError:
        msg = f"--encoding {layout.encoding} is unknown; try cp1252, latin-1 or utf-16. Nothing was booked."
    except (OSError, UnicodeError) as error:
        msg = (
            f"{path} cannot be read ({error}). Export it as CSV in UTF-8, or say how it is written with --encoding, "
            "for example cp1252. Nothing was booked."
        )
    raise MasterError(msg)


def _columns(path: Path, text: str, layout: BankLayout) -> tuple[_Lines, dict[str, int]]:
    """The lines below the one that names the columns, and where each of ours is."""
    _check_map(layout)
    said = written.delimiter_said(layout.delimiter)
    if len(said) > 1:
        msg = f"--delimiter {said!r} is not one character, nor tab, comma, semicolon or pipe. Nothing was booked."
        raise MasterError(msg)
    best: list[str] = []
    for delimiter in (said,) if said else _DELIMITERS:
        lines = _lines(path, text, delimiter)
        for n, (_, cells) in enumerate(lines[:_TITLE_LINES]):
            at = _named_in(cells, layout)
            if len(at) == len(COLUMNS):
                return lines[n + 1 :], at
            best = max(best, cells, key=lambda c: (len(_named_in(c, layout)), len(c)))
    missing = [name for name in COLUMNS if name not in _named_in(best, layout)]
    listed = ", ".join(repr(cell.strip()) for cell in best) or "no line"
    msg = (
        f"{path.name} has no column {', '.join(missing)}: the line that comes nearest has {listed}. Say which is "
        f"which, for example --map 'Booking date={missing[0]}'. Nothing was booked."
    )
    raise MasterError(msg)


def _lines(path: Path, text: str, delimiter: str) -> _Lines:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        msg = f"{path.name}, line {reader.line_num}: {error}. Export it as CSV again. Nothing was booked."
        raise MasterError(msg) from None


def _named_in(cells: Sequence[str], layout: BankLayout) -> dict[str, int]:
    """Where a line names our columns; a name that was mapped goes before our own."""
    theirs = [cell.strip().casefold() for cell in cells]
    mapped = {ours: name.strip().casefold() for name, ours in layout.columns.items()}
    wanted = {name: mapped.get(name, name) for name in COLUMNS}
    return {name: theirs.index(text) for name, text in wanted.items() if text in theirs}


def _check_map(layout: BankLayout) -> None:
    ours = list(layout.columns.values())
    for name in ours:
        if name not in COLUMNS:
            msg = f"--map: {name!r} is none of {', '.join(COLUMNS)}. Nothing was booked."
            raise MasterError(msg)
        if ours.count(name) > 1:
            msg = f"--map: {name} can be one column alone. Nothing was booked."
            raise MasterError(msg)
