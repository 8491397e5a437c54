"""Where things lie in a home.

One data file has two names. Under ``lake/<stage>/<table>/`` it is there for people and other engines, and leaves
when it is replaced. Under ``files/`` it is what views and the ledger name; that one outlives its replacement by a
day, so that a reader who began before ends well.

The rows of a day lie in one file, or in several parts where there are many. The first has the day as its label, the
others ``date=2026-03-01.p0002`` and so on: names in the order in which they were made, which says nothing of what is
in them.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_PART = ".p"
_LABEL = re.compile(r"[A-Za-z0-9=._-]{1,150}\Z")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one home."""

    home: Path

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def files(self) -> Path:
        return self.home / "files"

    @property
    def staging(self) -> Path:
        return self.home / "files" / "staging"

    @property
    def damaged(self) -> Path:
        return self.home / "damaged"

    @property
    def catalog(self) -> Path:
        return self.home / "tollbook.duckdb"

    @property
    def init_sql(self) -> Path:
        return self.home / "sql" / "init.sql"

    def stored(self, table: str, label: str, sha256: str) -> Path:
        """The lasting name of a data file."""
        return self.files / table / f"{_checked(label)}.{sha256[:16]}.parquet"

    def shown(self, table: str, label: str, sha256: str) -> Path:
        """The name under ``lake/``: days become hive folders."""
        folder = self.lake / table
        if label.startswith("date="):
            return folder / whole(_checked(label)) / f"{sha256[:16]}.parquet"
        return folder / f"{_checked(label)}.{sha256[:16]}.parquet"


def day_label(day: date) -> str:
    """The label of a by-day file."""
    return f"date={day.isoformat()}"


def part_label(day: date, number: int) -> str:
    """The label of a part of a day; the first is number 1."""
    return day_label(day) + (f"{_PART}{number:04d}" if number > 1 else "")


def part_number(label: str) -> int:
    """Which part of its day a by-day label names."""
    return int(label.partition(_PART)[2] or 1)


def whole(label: str) -> str:
    """The label of the day, where this is that of a part of one."""
    return label.partition(_PART)[0] if label.startswith("date=") else label


def label_day(label: str) -> date:
    """The day of a by-day label."""
    return date.fromisoformat(whole(label).removeprefix("date="))


def _checked(label: str) -> str:
    if not _LABEL.match(label) or label.startswith("."):
        msg = f"not a label: {label!r}"
        raise ValueError(msg)
    return label
