"""Writes one assignment into ``assignments.csv``: at its end, the rest of the file byte for byte as it was.

The whole of the masters is read with the new line in a copy first, so that a line that overlaps or contradicts another
is refused before anything is written; the file is then replaced in one step, unless somebody has changed it meanwhile.
"""

import csv
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import MasterError
from pipeline.masters.files import ASSIGNMENT_COLUMNS, read_masters
from pipeline.masters.model import Masters

FILE = "assignments.csv"


def assign(folder: Path, values: Mapping[str, str]) -> tuple[str, Masters]:
    """Adds an assignment; returns the line as it was written and the masters as they are now.

    Raises:
        MasterError: the masters would be wrong with it, and what to change; nothing was written.
    """
    path = folder / FILE
    before = path.read_bytes() if path.is_file() else b""
    line, after = _with_line(before, values)
    with tempfile.TemporaryDirectory(prefix="masters-") as copy:
        for found in folder.iterdir():
            if found.is_file() and found.name != FILE:
                (Path(copy) / found.name).symlink_to(found.resolve())
        (Path(copy) / FILE).write_bytes(after)
        try:
            masters = read_masters(Path(copy))
        except MasterError as error:
            msg = f"{line!r} was not added to {path}: {str(error).replace(copy, str(folder))}"
            raise MasterError(msg) from None
    _replace(path, before, after)
    return line, masters


def _with_line(before: bytes, values: Mapping[str, str]) -> tuple[str, bytes]:
    text = before.decode("utf-8-sig", errors="replace")
    end = "\r\n" if "\r\n" in text else "\n"
    header = next(csv.reader(io.StringIO(text, newline="")), [])
    names = [name.strip() for name in header] or list(ASSIGNMENT_COLUMNS)
    missing = [name for name, value in values.items() if value and name not in names]
    if missing:
        msg = f"{FILE} has no column {', '.join(missing)}. Add it to the first line, then assign again."
        raise MasterError(msg)
    line = _row([values.get(name, "") for name in names])
    head = b"" if header else (_row(names) + end).encode()
    gap = b"" if not before or before.endswith((b"\n", b"\r")) else end.encode()
    return line, before + gap + head + (line + end).encode()


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _replace(path: Path, before: bytes, after: bytes) -> None:
    """Puts a file in the place of another in one step, its permissions kept."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777 if path.is_file() else 0o644)
        if (path.read_bytes() if path.is_file() else b"") != before:
            msg = f"{path} was changed by somebody else just now; nothing was added. Assign again."
            raise MasterError(msg)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
