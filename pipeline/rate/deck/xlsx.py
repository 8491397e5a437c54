"""Reads and writes XLSX sheets of text, by the standard library.

The reader keeps to what the file says. A number is taken as a spreadsheet shows it: to 15 digits, with the leading
zeros of a format ``0000``, and from 12 digits on as ``1.13E+11`` where the column is not formatted to show them all;
such a prefix is then refused, since the digits that it was pasted with may be gone. Libraries give such a cell as a
float, some end the process on a sheet that claims a million empty rows, and one that does not takes twice the time.

Sizes are bounded, and a document type definition is refused, because neither has any business in a rate sheet.
"""

import io
import re
import zipfile
import zlib
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from xml.parsers import expat

from pipeline.domain.money import plain
from pipeline.rate.deck.layout import Problems

LARGEST = 512 * 1024 * 1024
WIDEST = 256
MOST_ROWS = 1_048_576
_PIECE = 1 << 18
_SHOWN_DIGITS = 12
_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_DATE_LETTERS = re.compile(r"\"[^\"]*\"|\[[^\]]*\]|\\.")
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001  a cell has no zone
_PRECISION = 15
_FARTHEST = 30
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError),
    *(LookupError, ValueError, StopIteration, RuntimeError),
)


class _RefusedError(ValueError):
    """The workbook cannot be read; the message says why."""


def xlsx_sheets(data: bytes, sheet: str, problems: Problems) -> dict[str, list[tuple[int, list[str]]]]:
    """The rows of the named sheet, or of all that are shown, by name, as (row number, cells)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            _check_size(book)
            shared, formats = _shared(book), _formats(book)
            return {
                name: _rows(book, part, shared, formats) for name, part in _sheet_parts(book, sheet).items()
            }
    except _RefusedError as error:
        problems.add(str(error))
    except _UNREADABLE:
        problems.add("this is no XLSX workbook that can be read: open it in a spreadsheet and save it anew")
    return {}


def _rows(
    book: zipfile.ZipFile, part: str, shared: list[str], formats: tuple[list[str], bool]
) -> list[tuple[int, list[str]]]:
    cells = _Cells(shared, *formats)
    _parse(book, part, cells)
    width = max((len(row) for _, row in cells.rows), default=0)
    return [(number, row + [""] * (width - len(row))) for number, row in cells.rows]


def _check_size(book: zipfile.ZipFile) -> None:
    if "xl/workbook.xml" not in book.namelist():
        msg = "this is a zip file, not an XLSX workbook: unpack it and import the deck inside"
        raise _RefusedError(msg)
    if sum(part.file_size for part in book.infolist()) > LARGEST:
        msg = f"the workbook unpacks to more than {LARGEST // 1024**2} MiB: split it"
        raise _RefusedError(msg)


def _parse(book: zipfile.ZipFile, name: str, handler: "_Part") -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _no_doctype
    with book.open(name) as part:
        while piece := part.read(_PIECE):
            parser.Parse(piece)
    parser.Parse(b"", True)


def _no_doctype(*_: object) -> None:
    msg = "the workbook holds a document type definition, which no spreadsheet writes: save it anew"
    raise _RefusedError(msg)


class _Part:
    """Elements of one part of a workbook, without their namespaces."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def text(self, data: str) -> None: ...


class _Elements(_Part):
    """All elements of a small part."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.found.append((tag.rpartition(":")[2], attributes))


def _elements(book: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    part = _Elements()
    if name in book.namelist():
        _parse(book, name, part)
    return part.found


def _sheet_parts(book: zipfile.ZipFile, wanted: str) -> dict[str, str]:
    """The files of the sheets by their names: the one that is wanted, else all that are not hidden."""
    found = [a for tag, a in _elements(book, "xl/workbook.xml") if tag == "sheet"]
    shown = [a for a in found if a.get("state", "visible") == "visible"] or found
    chosen = [a for a in found if a.get("name") == wanted] if wanted else shown
    if not chosen:
        named = ", ".join(repr(a.get("name", "")) for a in found) or "none"
        msg = f"the workbook has no sheet {wanted!r}; its sheets are {named}"
        raise _RefusedError(msg)
    links = {a.get("Id"): a.get("Target", "") for _, a in _elements(book, "xl/_rels/workbook.xml.rels")}
    paths = [links[next(value for name, value in a.items() if name.endswith(":id"))] for a in chosen]
    names = [a.get("name", "") for a in chosen]
    return {n: p.lstrip("/") if p.startswith("/") else f"xl/{p}" for n, p in zip(names, paths, strict=True)}


class _Shared(_Part):
    """The texts that cells point to."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] | None = None
        self._phonetic = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "si":
            self.texts.append("")
        self._phonetic += tag == "rPh"
        self._pieces = [] if tag == "t" and not self._phonetic else self._pieces

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self._phonetic -= tag == "rPh"
        if tag == "t" and self._pieces is not None:
            self.texts[-1] += "".join(self._pieces)
            self._pieces = None

    def text(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)


def _shared(book: zipfile.ZipFile) -> list[str]:
    part = _Shared()
    if "xl/sharedStrings.xml" in book.namelist():
        _parse(book, "xl/sharedStrings.xml", part)
    return part.texts


def _formats(book: zipfile.ZipFile) -> tuple[list[str], bool]:
    """The number format of each cell style, and whether dates count from 1904."""
    codes: dict[str, str] = {}
    styles: list[str] = []
    inside = False
    for tag, a in _elements(book, "xl/styles.xml"):
        if tag == "numFmt":
            codes[a.get("numFmtId", "")] = a.get("formatCode", "")
        inside = inside or tag == "cellXfs"
        if tag in ("cellStyles", "dxfs"):
            inside = False
        if tag == "xf" and inside:
            styles.append(a.get("numFmtId", "0"))
    known = [_kind(number, codes.get(number, "")) for number in styles]
    flags = [a.get("date1904", "0") for tag, a in _elements(book, "xl/workbook.xml") if tag == "workbookPr"]
    return known, flags[:1] in (["1"], ["true"])


def _kind(number: str, code: str) -> str:
    """``date``, ``general``, ``digits`` (all are shown), or ``000`` as many zeros as are shown at least."""
    bare = _DATE_LETTERS.sub("", code).lower()
    if (number.isdecimal() and int(number) in _BUILT_IN_DATES) or (
        bare != "general" and re.search("[ymdhs]", bare)
    ):
        return "date"
    if bare and not bare.strip("0"):
        return bare
    return "general" if number == "0" or (bare in ("", "general") and number not in ("1", "49")) else "digits"


class _Cells(_Part):
    """The rows of a sheet as text."""

    def __init__(self, shared: list[str], formats: list[str], from_1904: bool) -> None:
        self.rows: list[tuple[int, list[str]]] = []
        self._shared, self._formats, self._epoch = shared, formats, _EPOCHS[from_1904]
        self._known: dict[tuple[str, str], str] = {}
        self._row: list[str] = []
        self._number = 0
        self._column = -1
        self._type = self._style = ""
        self._pieces: list[str] | None = None
        self._value = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c" or tag.endswith(":c"):
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._value = ""
        elif tag in ("v", "t") or tag.endswith((":v", ":t")):
            self._pieces = []
        elif tag == "row" or tag.endswith(":row"):
            self._row, self._column = [], -1
            self._number = int(attributes.get("r", self._number + 1))

    def end(self, tag: str) -> None:
        if self._pieces is not None:
            self._value += "".join(self._pieces)
            self._pieces = None
        elif tag == "c" or tag.endswith(":c"):
            if self._value and self._column < WIDEST:
                self._row += [""] * (self._column - len(self._row)) + [self._shown()]
        elif self._row and (tag == "row" or tag.endswith(":row")):
            if len(self.rows) == MOST_ROWS:
                msg = f"the sheet has more than {MOST_ROWS:,} rows: split it"
                raise _RefusedError(msg)
            self.rows.append((self._number, self._row))

    def text(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)

    def _shown(self) -> str:
        if self._type == "n":
            key = (self._value, self._style)
            if key not in self._known:
                self._known[key] = self._number_shown(*key)
            return self._known[key]
        if self._type == "s":
            return self._shared[int(self._value)]
        return {"1": "TRUE", "0": "FALSE"}[self._value] if self._type == "b" else self._value

    def _number_shown(self, raw: str, style: str) -> str:
        kind = self._formats[int(style)] if int(style) < len(self._formats) else "general"
        try:
            value = Decimal(raw)
        except InvalidOperation:
            return raw
        if not value.is_finite() or abs(value.adjusted()) > _FARTHEST:
            return raw
        if kind == "date":
            return _date_shown(value, self._epoch)
        return _decimal_shown(value, kind)


def _column(reference: str) -> int:
    """``A`` is 0, ``AA`` 26."""
    number = 0
    for letter in reference:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter) - 64
    return number - 1


def _decimal_shown(value: Decimal, kind: str) -> str:
    places = _PRECISION - 1 - value.adjusted()
    rounded = round(value, places) if places >= 0 else value
    text = plain(rounded)
    whole = text.lstrip("-").isdecimal()
    if (whole and len(text) >= _SHOWN_DIGITS and kind == "general") or len(
        text.partition(".")[0]
    ) > _PRECISION:
        return f"{rounded:.2E}"
    return text.zfill(len(kind)) if whole and kind.startswith("0") else text


def _date_shown(value: Decimal, epoch: datetime) -> str:
    try:
        at = epoch + timedelta(milliseconds=round(value * 86_400_000))
    except OverflowError:
        return str(value)
    return f"{at:%Y-%m-%d}" if at.time().isoformat() == "00:00:00" else at.isoformat(timespec="milliseconds")
