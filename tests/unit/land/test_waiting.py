"""What waits for its commit lies on disk, comes back as it was in whatever order is asked for, and leaves nothing."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.cursor import CALLS, Bookmark, Page
from pipeline.errors import LakeError
from pipeline.lake.lake import Lake
from pipeline.land import known, waiting
from pipeline.land.records import Landed
from pipeline.land.waiting import Rows, Waiting
from pipeline.land.walks import Landings
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.pull.edges import edges_of
from pipeline.pull.walk import Walked
from tests.fixtures.records import call

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
SCHEMA = pa.schema([("at", pa.int64()), ("sid", pa.string()), ("text", pa.string())])
BY = ["at", "sid"]
Tables = list[list[tuple[int, int]]]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PIECE", 3)


def table(rows: list[tuple[int, int]]) -> pa.Table:
    found = [{"at": at, "sid": str(sid), "text": f"row {at} {sid}" if at % 3 else None} for at, sid in rows]
    return pa.Table.from_pylist(found, SCHEMA)


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8), max_size=5),
    st.sampled_from(["as they came", "sorted", "sorted twice", "a part, sorted"]),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_any_range_in_any_order_is_what_it_is_in_memory(
    tables: Tables, order: str, begin: int, many: int
) -> None:
    """Across what was written down together, and across pieces."""
    lie = Waiting(SCHEMA, BY)
    for rows in tables:
        lie.add(table(rows))
    try:
        found, in_memory = (
            ordered(rows, order).slice(begin, many)
            for rows in (lie.rows(), Rows.of(table([row for rows in tables for row in rows]), BY))
        )
        assert [*read(found)] == [*read(in_memory)] == expected(tables, order)[begin : begin + many]
        assert found.keys.to_pylist() == [{"at": row["at"], "sid": row["sid"]} for row in read(found)]
    finally:
        lie.clear()


def ordered(rows: Rows, order: str) -> Rows:
    match order:
        case "sorted":
            return rows.sorted(BY)
        case "sorted twice":
            return rows.sorted(["sid", "at"]).sorted(BY)
        case "a part, sorted":
            return rows.slice(2).sorted(BY)
    return rows


def expected(tables: Tables, order: str) -> list[dict[str, Any]]:
    rows = [row for rows in tables for row in table(rows).to_pylist()]
    rows = rows[2:] if order.startswith("a part") else rows
    return rows if order == "as they came" else sorted(rows, key=lambda row: (row["at"], row["sid"]))


def read(rows: Rows) -> Iterator[dict[str, Any]]:
    return (row for piece in rows.pieces() for row in piece.to_pylist())


def test_what_waits_takes_no_memory() -> None:
    lie = Waiting(SCHEMA, BY)
    before = pa.total_allocated_bytes()
    for at in range(0, 4000, 1000):
        lie.add(table([(at + n, n) for n in range(1000)]))
    assert pa.total_allocated_bytes() == before
    assert len(lie.rows()) == 4000
    lie.clear()


def test_a_change_is_made_to_each_piece_and_what_decides_stays() -> None:
    lie = Waiting(SCHEMA, BY)
    lie.add(table([(2, 1), (1, 1)]))
    changed = lie.rows().each(lambda piece: piece.drop_columns("text")).sorted(BY)
    assert (changed.whole().to_pylist(), changed.keys.column_names) == (
        [{"at": 1, "sid": "1"}, {"at": 2, "sid": "1"}], BY,
    )  # fmt: skip
    lie.clear()


@pytest.fixture
def landings(tmp_path: Path) -> Landings:
    lake = Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))
    known._known.clear()
    return Landings(lake, CALLS, "carrierx", NOW, timedelta(minutes=15))


def walk(landings: Landings, *pages: list[str], then: Exception | None = None) -> Landed:
    """Pages of calls that end in these minutes; then the walk ends, or breaks."""
    total = Landed()

    def walked() -> Iterator[Walked]:
        for page in pages:
            ends = [(minute, datetime(2026, 3, 1, 15, int(minute), tzinfo=UTC)) for minute in page]
            items = [call(sid, date_stop=f"{end:%Y-%m-%dT%H:%M:%S}.000Z") for sid, end in ends]
            yield Walked(Page(items), *ends[-1], True, edges_of(ends))
        if then:
            raise then

    landings.walk(walked(), Bookmark(), total)
    return total


def test_new_records_are_never_in_memory_together_whatever_their_order(
    landings: Landings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Rows, "whole", None)
        assert walk(landings, ["40", "50", "45"], ["36", "38", "37"]).fresh == 6
    held = landings.lake.scan("land/calls").collect()
    assert held["dr_sid"].to_list() == ["36", "37", "38", "40", "45", "50"]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[Waiting]:
    """What has had rows that waited."""
    found: list[Waiting] = []
    add = Waiting.add

    def noted(lie: Waiting, rows: pa.Table) -> None:
        add(lie, rows)
        assert lie._disk.size
        found.append(lie)

    monkeypatch.setattr(Waiting, "add", noted)
    return found


def test_a_walk_leaves_nothing_on_disk(landings: Landings, waited: list[Waiting]) -> None:
    walk(landings, ["36", "38"], ["40"])
    assert [(lie._disk.size, lie._disk._disk) for lie in waited] == [(0, None)] * 2


def test_nor_does_one_that_breaks(landings: Landings, waited: list[Waiting]) -> None:
    with pytest.raises(ConnectionError):
        walk(landings, ["36", "38"], ["40"], then=ConnectionError())
    assert [(lie._disk.size, lie._disk._disk) for lie in waited] == [(0, None)] * 2


@pytest.mark.parametrize(
    "nth", [1, 2, 3], ids=["what decides", "the rows", "their ids, once they are written"]
)
def test_no_room_for_them_is_told_and_nothing_is_half_done(
    nth: int, landings: Landings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, calls = os.pwrite, count(1)

    def full(disk: int, data: memoryview, at: int) -> int:
        if next(calls) >= nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return pwrite(disk, data, at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(LakeError, match=r"No space left on device\. Nothing was committed.*TMPDIR"):
            walk(landings, ["36", "38"])
    assert landings.lake.files("land/calls") == []
    assert (walk(landings, ["36", "38"]).fresh, walk(landings, ["36", "38"]).identical) == (2, 2)
