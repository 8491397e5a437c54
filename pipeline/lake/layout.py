"""Where things lie in a home.

One data file has two names. Under ``lake/<stage>/<table>/`` it is there for people and other engines, and leaves
when it is replaced. Under ``files/`` it is what views and the ledger name; that one outlives its replacement by a
day, so that a reader who began before ends well.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
            return folder / _checked(label) / f"{sha256[:16]}.parquet"
        return folder / f"{_checked(label)}.{sha256[:16]}.parquet"


def day_label(day: date) -> str:
    """The label of a by-day file."""
    return f"date={day.isoformat()}"


def label_day(label: str) -> date:
    """The day of a by-day label."""
    return date.fromisoformat(label.removeprefix("date="))


def _checked(label: str) -> str:
    if not _LABEL.match(label) or label.startswith("."):
        msg = f"not a label: {label!r}"
        raise ValueError(msg)
    return label
