"""Reads one master file into rows whose every value is checked, and keeps what is wrong with its file and line.

Add a check here when a second file needs it; what a customer or a tax is made of stays in ``files.py``. A check
never raises: it notes the problem and returns the default, so that one run lists everything there is to repair.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from pipeline.errors import MasterError

_MONEY = re.compile(r"-?\d{1,12}(\.\d{1,12})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TOML_HEADER = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
_TOML_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")


@dataclass(slots=True)
class Problems:
    """Everything found wrong so far, one line of text per problem."""

    lines: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        self.lines.append(f"{where}: {what}")

    def raise_if_any(self, folder: Path) -> None:
        """Raise MasterError with all of them."""
        if self.lines:
            count = f"{len(self.lines)} problem{'s' if len(self.lines) > 1 else ''}"
            listed = "\n".join(f"  {line}" for line in self.lines)
            raise MasterError(f"{count} in the master files of {folder}; repair these lines first:\n{listed}")


@dataclass(frozen=True, slots=True)
class Row:
    """One CSV row or TOML table. ``values`` holds text, or a tuple of texts for a TOML list."""

    file: str
    line: int
    values: dict[str, str | tuple[str, ...]]
    problems: Problems
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, column: str, what: str) -> None:
        self.problems.add(f"{self.file}:{self.lines.get(column, self.line)}", f"{column} {what}")

    def text(self, column: str, default: str = "", *, required: bool = False) -> str:
        value = self.values.get(column, "")
        if isinstance(value, tuple):
            self.wrong(column, "must be one text, not a list")
            return default
        if required and not value:
            self.wrong(column, "is empty; it is required")
        return value or default

    def choice(self, column: str, valid: Iterable[str], default: str = "", *, required: bool = False) -> str:
        value = self.text(column, default, required=required)
        if value and value not in valid:
            self.wrong(column, f"is {value!r}; {_valid(value, valid)}")
            return default
        return value

    def matching(
        self, column: str, pattern: str, valid: str, default: str = "", *, required: bool = False
    ) -> str:
        """Text that matches a pattern; ``valid`` describes it to a person."""
        value = self.text(column, default, required=required)
        if value and not re.fullmatch(pattern, value):
            self.wrong(column, f"is {value!r}; valid is {valid}")
            return default
        return value

    def words(self, column: str, valid: Iterable[str] = (), default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A TOML list, or CSV text separated by spaces, commas or semicolons."""
        value = self.values.get(column, "")
        words = (
            value if isinstance(value, tuple) else tuple(re.split(r"[\s,;]+", value.strip())) if value else ()
        )
        for word in words:
            if valid and word not in valid:
                self.wrong(column, f"holds {word!r}; {_valid(word, valid)}")
        return words if column in self.values and words else default

    def paragraphs(self, column: str) -> tuple[str, ...]:
        """Lines of text: a TOML list."""
        value = self.values.get(column, ())
        return value if isinstance(value, tuple) else (value,)

    def emails(self, column: str) -> tuple[str, ...]:
        found = self.words(column)
        for address in found:
            if not _EMAIL.fullmatch(address):
                self.wrong(column, f"holds {address!r}; valid are addresses like billing@example.com")
        return found

    def money(self, column: str, default: Decimal | None = None, *, required: bool = False) -> Decimal | None:
        value = self.text(column, required=required)
        if not value:
            return default
        if not _MONEY.fullmatch(value):
            self.wrong(
                column, f"is {value!r}; valid is plain decimal text like -12.50, at most 12 digits a side"
            )
            return default
        return Decimal(value)

    def fraction(self, column: str, default: Decimal) -> Decimal:
        value = self.money(column, default)
        if value is None or not 0 <= value <= 1:
            self.wrong(column, f"is {value}; valid is a fraction from 0 to 1 (0.19 for 19 %)")
            return default
        return value

    def integer(self, column: str, low: int, high: int, default: int) -> int:
        value = self.text(column)
        if not value:
            return default
        if not re.fullmatch(r"-?\d{1,6}", value) or not low <= int(value) <= high:
            self.wrong(column, f"is {value!r}; valid is a whole number from {low} to {high}")
            return default
        return int(value)

    def flag(self, column: str) -> bool:
        return self.choice(column, ("yes", "no"), "no") == "yes"

    def day(self, column: str) -> date | None:
        value = self.text(column)
        if not value:
            return None
        try:
            return date.fromisoformat(value) if _DAY.fullmatch(value) else _refuse()
        except ValueError:
            self.wrong(column, f"is {value!r}; valid is a date like 2026-03-01")
            return None

    def instant(self, column: str, zone: tzinfo) -> datetime | None:
        """A UTC instant: ISO text with an offset, or a bare date, which is midnight in ``zone``."""
        value = self.text(column)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
            if _DAY.fullmatch(value):
                found = found.replace(tzinfo=zone)
            return found.astimezone(UTC) if found.tzinfo else _refuse()
        except ValueError:
            self.wrong(
                column,
                f"is {value!r}; valid is a date, or an instant with an offset like 2026-03-01T00:00:00Z",
            )
            return None

    def zone(self, column: str) -> str:
        value = self.text(column, required=True)
        if value and not zone_or_none(value):
            self.wrong(column, f"is {value!r}; valid is a name of the IANA database like America/New_York")
        return value

    def interval(self, start: date | None, end: date | None) -> None:
        if start is not None and end is not None and end <= start:
            self.wrong(
                "end", f"is {end}, not after start {start}; it is the first moment not in force any more"
            )


def zone_or_none(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def read_text(path: Path, problems: Problems) -> str:
    """The file as text, without a byte-order mark; empty when it is missing."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.add(f"{path.name}:{line}", "is not UTF-8 text; save the file as UTF-8")
        return ""


def csv_rows(path: Path, columns: Iterable[str], required: Iterable[str], problems: Problems) -> list[Row]:
    """The rows of a CSV file; every file may have a ``comment`` column, which is not read."""
    reader = csv.reader(io.StringIO(read_text(path, problems), newline=""), strict=True)
    known = (*columns, "comment")
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header or not _header_is_good(path.name, header, known, required, problems):
            return []
        return list(_body(path.name, reader, header, problems))
    except csv.Error as error:
        problems.add(
            f"{path.name}:{reader.line_num}", f"is not CSV ({error}); quotes must be closed and doubled"
        )
        return []


def _header_is_good(
    file: str, header: list[str], known: tuple[str, ...], required: Iterable[str], problems: Problems
) -> bool:
    before = len(problems.lines)
    for name in dict.fromkeys(header):
        if name not in known:
            problems.add(f"{file}:1", f"unknown column {name!r}; {_valid(name, known)}")
        elif header.count(name) > 1:
            problems.add(f"{file}:1", f"column {name!r} appears {header.count(name)} times; keep one")
    for name in required:
        if name not in header:
            problems.add(f"{file}:1", f"column {name!r} is missing; it is required")
    return len(problems.lines) == before


def _body(file: str, reader: Iterable[list[str]], header: list[str], problems: Problems) -> Iterator[Row]:
    line = 2
    for cells in reader:
        if len(cells) not in (0, len(header)):
            what = (
                f"has {len(cells)} cells where the header has {len(header)}; quote a cell that holds a comma"
            )
            problems.add(f"{file}:{line}", what)
        elif any(cell.strip() for cell in cells):
            values: dict[str, str | tuple[str, ...]] = {
                name: cell.strip() for name, cell in zip(header, cells, strict=True)
            }
            yield Row(file, line, values, problems)
        line = getattr(reader, "line_num", line) + 1


def toml_rows(
    path: Path, tables: dict[str, tuple[str, ...]], problems: Problems, *, list_of: str = ""
) -> list[tuple[str, Row]]:
    """The tables of a TOML file as (name, row); the top level is named ''.

    ``tables`` names the allowed tables and their keys; a name ending in ``.*`` allows any table below it, and
    ``list_of`` is the name of an array of tables.
    """
    text = read_text(path, problems)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.add(path.name, f"is not TOML: {error}")
        return []
    places = _toml_lines(text)
    found = []
    for name, index, keys in _toml_tables(document, list_of):
        shape = f"{name.rpartition('.')[0]}.*" if f"{name.rpartition('.')[0]}.*" in tables else name
        here = places.get((name, index), {})
        line = here.get("", 1)
        if shape not in tables:
            problems.add(f"{path.name}:{line}", f"unknown table [{name}]; {_valid(name, tables)}")
            continue
        found.append((name, _toml_row(path.name, line, keys, tables[shape], here, problems)))
    return found


def _toml_row(
    file: str,
    line: int,
    keys: dict[str, object],
    known: tuple[str, ...],
    here: dict[str, int],
    problems: Problems,
) -> Row:
    row = Row(file, line, {}, problems, here)
    for key, value in keys.items():
        if key not in known:
            row.wrong(key, f"is an unknown key; {_valid(key, known)}")
        elif isinstance(value, list) and all(isinstance(word, str) for word in value):
            row.values[key] = tuple(value)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            row.values[key] = str(value).strip()
        elif isinstance(value, date):
            row.values[key] = value.isoformat()
        else:
            row.wrong(key, f"is {value!r}; valid is a text, a whole number or a list of texts")
    return row


def _toml_tables(document: dict[str, object], list_of: str) -> Iterator[tuple[str, int, dict[str, object]]]:
    top = {key: value for key, value in document.items() if not isinstance(value, dict) and key != list_of}
    if top:
        yield "", 0, top
    items = document.get(list_of, []) if list_of else []
    for index, item in enumerate(items if isinstance(items, list) else []):
        yield list_of, index, item
    for name, value in document.items():
        if isinstance(value, dict):
            inner = {key: part for key, part in value.items() if isinstance(part, dict)}
            if len(inner) < len(value) or not value:
                yield name, 0, {key: part for key, part in value.items() if key not in inner}
            for key, part in inner.items():
                yield f"{name}.{key}", 0, part


def _toml_lines(text: str) -> dict[tuple[str, int], dict[str, int]]:
    """Where each table and key stands: (table, index) -> key -> line; '' is the table's own line."""
    places: dict[tuple[str, int], dict[str, int]] = {("", 0): {}}
    here = places["", 0]
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TOML_HEADER.match(line):
            name = header[1].replace('"', "")
            index = sum(1 for known, _ in places if known == name)
            here = places.setdefault((name, index), {"": number})
        elif key := _TOML_KEY.match(line):
            here.setdefault(key[1], number)
    return places


def _valid(word: str, valid: Iterable[str]) -> str:
    """What would be valid: the nearest word when there is one, else the list."""
    words = sorted(valid)
    near = get_close_matches(word.lower(), [name.lower() for name in words], n=1, cutoff=0.6)
    if near:
        return f"did you mean {next(name for name in words if name.lower() == near[0])!r}?"
    return "valid are " + ", ".join(words[:20]) + (", ..." if len(words) > 20 else "")


def _refuse() -> NoReturn:
    raise ValueError
