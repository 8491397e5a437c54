"""A day is one sorted file, merged a row group at a time, whatever comes and in whatever order."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.domain.cursor import CALLS, Bookmark, Page
from pipeline.lake import parquet
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.land.records import land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url
from tests.fixtures.records import call, calls, stamp

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
DAY = "date=2026-03-01"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(parquet, "ROW_GROUP", 5)
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def land(lake: Lake, items: list[dict[str, Any]]) -> None:
    land_pages(lake, CALLS, [Page([dict(item) for item in items])], Bookmark(), source="carrierx", now=NOW)


def sids(lake: Lake) -> list[str]:
    return lake.scan("land/calls", [DAY]).select("dr_sid").collect().to_series().to_list()


def groups(lake: Lake) -> list[int]:
    [file] = lake.files("land/calls", [DAY])
    with pq.ParquetFile(file.path) as found:
        return [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)]


def test_records_in_any_order_make_one_sorted_day_of_whole_row_groups(lake: Lake) -> None:
    records = calls(33)
    mixed = random.Random(7).sample(records, len(records))
    for start in range(0, len(mixed), 8):
        land(lake, mixed[start : start + 8])
    assert (sids(lake), groups(lake)) == ([item["dr_sid"] for item in records], [5] * 6 + [3])


def test_records_of_one_instant_lie_in_the_order_of_their_ids(lake: Lake) -> None:
    ids = [f"{n:02d}" for n in range(14)]
    for place in (0, 1):
        land(lake, [call(sid) for sid in reversed(ids[place::2])])
    assert sids(lake) == ids


def test_a_record_that_moves_leaves_its_day_and_its_neighbours_stay(lake: Lake) -> None:
    records = calls(12)
    land(lake, records)
    moved = records[6] | {"version": 3, "date_stop": stamp(NOW), "date_insert": stamp(NOW)}
    land(lake, [moved])
    assert sids(lake) == [item["dr_sid"] for item in records if item is not records[6]]
    assert [file.label for file in lake.files("land/calls")] == [DAY, f"date={NOW.date()}"]


def test_a_day_that_lost_all_its_records_is_gone(lake: Lake) -> None:
    land(lake, [call("a")])
    land(lake, [call("a", version=3, date_stop="2026-03-02T00:00:00.000Z")])
    assert [file.label for file in lake.files("land/calls")] == ["date=2026-03-02"]


def test_a_file_of_another_version_is_merged_with_the_columns_of_today(lake: Lake, tmp_path: Path) -> None:
    """It lacks a column that came since and has one that went."""
    land(lake, [call("a")])
    [file] = lake.files("land/calls")
    old = (
        pq.read_table(file.path).drop_columns(["stir_attest"]).append_column("content_hash", pa.array(["x"]))
    )
    pq.write_table(old, tmp_path / "old.parquet")
    [piece] = parquet.pieces(tmp_path / "old.parquet", BY_NAME["land/calls"])
    assert (piece.schema.names, piece["stir_attest"].to_pylist()) == (
        BY_NAME["land/calls"].schema.names, [None],
    )  # fmt: skip


def test_several_days_at_once(lake: Lake) -> None:
    late = timedelta(days=1)
    records = calls(3)
    later = [item | {"dr_sid": f"n{n}", "date_stop": stamp(NOW + n * late)} for n, item in enumerate(records)]
    land(lake, [*records, *later])
    labels = [DAY, *(f"date={date(2026, 4, 3) + n * late}" for n in range(3))]
    assert [file.label for file in lake.files("land/calls")] == labels
