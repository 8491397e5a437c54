"""An empty home with an open desk, and a way to put rows into its tables."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from pipeline.desk import Desk
from pipeline.homes import make_home
from pipeline.lake.tables import BY_NAME
from pipeline.settings import load

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)

Put = Callable[[str, str, list[dict[str, Any]]], None]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    opened = Desk.open(load(home), now=NOW)
    yield opened
    opened.ledger.close()


@pytest.fixture
def put(desk: Desk) -> Put:
    """``put("land/calls", "date=2026-03-01", rows)``: columns that a row does not name are null."""

    def write(table: str, label: str, rows: list[dict[str, Any]]) -> None:
        schema = BY_NAME[table].schema
        filled = [dict.fromkeys(schema.names) | row for row in rows]
        staged = desk.lake.stage(table, label, pa.Table.from_pylist(filled, schema=schema))
        with desk.ledger.transaction() as tx:
            desk.lake.commit(tx, [staged], at=NOW, stage=table.partition("/")[0])

    return write


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made
