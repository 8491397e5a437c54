"""Reads a deck file into lines of text cells, whatever it is stored as: CSV in most shapes, gzip, XLSX.

Every cell is text until it has been checked: spreadsheets turn prefixes into ``4.4E+11``, and readers that guess types
drop leading zeros. Sizes are bounded, since a small compressed file can hold a very large one.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipeline.domain.written import delimiter_said, encoding_of
from pipeline.errors import DeckError
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.xlsx import xlsx_sheets

LARGEST = 512 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|")
COMPLETE = 1000
_LOOKED_AT = 60


class Line(NamedTuple):
    """The cells of one line, and its number in the file (of its last, where a cell has line breaks)."""

    number: int
    cells: list[str]


def read_lines(
    path: Path, layout: Layout, score: Callable[[Sequence[str]], int], problems: Problems
) -> list[Line]:
    """All lines that are not empty; ``score`` tells the right delimiter and sheet by how well they read."""
    data = _bytes(path, problems)
    if data[:4] == b"PK\x03\x04":
        found = iter(_sheet(data, layout, score, problems))
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        problems.add("this is an old or a locked Excel file: save it as .xlsx, without a password, or as CSV")
        return []
    else:
        text = _text(data, layout, problems)
        found = _csv(text, _delimiter(text, layout, score), problems)
    return [line for line in found if any(map(str.strip, line.cells))]


def _sheet(
    data: bytes, layout: Layout, score: Callable[[Sequence[str]], int], problems: Problems
) -> list[Line]:
    """The sheet that holds the rates; where several do, a person says which."""
    sheets = xlsx_sheets(data, layout.sheet, problems)
    lines = {name: [Line(n, cells) for n, cells in rows] for name, rows in sheets.items()}
    scores = {
        name: max((score(line.cells) for line in rows[:_LOOKED_AT]), default=0)
        for name, rows in lines.items()
    }
    rated = [repr(name) for name, found in scores.items() if found >= COMPLETE]
    if len(rated) > 1:
        problems.add(
            f"there are rates on the sheets {', '.join(rated)}: import them one by one, with --sheet"
        )
    return lines[max(scores, key=lambda name: scores[name])] if scores else []


def _bytes(path: Path, problems: Problems) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if data[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        problems.add("the gzip file is damaged or not whole: fetch it again")
        return b""
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Name a deck file: CSV, XLSX, or either with gzip."
        raise DeckError(msg) from None
    if len(data) > LARGEST:
        problems.add(f"the file holds more than {LARGEST // 1024**2} MiB: split it")
        return b""
    return data


def _text(data: bytes, layout: Layout, problems: Problems) -> str:
    encoding = encoding_of(data, layout.encoding)
    try:
        return data.decode(encoding)
    except LookupError:
        problems.add(f"--encoding {encoding} is unknown; try cp1252, latin-1 or utf-16")
    except UnicodeDecodeError as error:
        problems.add(
            f"byte {error.start} is not {encoding.upper()}: save the file as 'CSV UTF-8', or say how it is written "
            "with --encoding, for example cp1252"
        )
    return ""


def _delimiter(text: str, layout: Layout, score: Callable[[Sequence[str]], int]) -> str:
    if layout.delimiter:
        return delimiter_said(layout.delimiter)
    return max(DELIMITERS, key=lambda delimiter: _fits(text, delimiter, score))


def _fits(text: str, delimiter: str, score: Callable[[Sequence[str]], int]) -> tuple[int, int]:
    """How well the best line reads; then, where no name is known, into how many cells all fall."""
    lines = list(islice(_csv(text, delimiter, Problems()), _LOOKED_AT))
    return max((score(line.cells) for line in lines), default=0), sum(len(line.cells) for line in lines)


def _csv(text: str, delimiter: str, problems: Problems) -> Iterator[Line]:
    if len(delimiter) != 1:
        problems.add(f"--delimiter {delimiter!r} is not one character, nor tab, comma, semicolon or pipe")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for row in reader:
            yield Line(reader.line_num, row)
    except csv.Error as error:
        problems.add(f"line {reader.line_num}: {error}")
