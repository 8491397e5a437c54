"""A day is sorted, in one file or in parts, merged a row group at a time, whatever comes and in whatever order."""

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
from pipeline.land import days, waiting
from pipeline.land.records import land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url
from tests.fixtures.records import call, calls, stamp

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
DAY = "date=2026-03-01"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(parquet, "STREAMED", 5)
    monkeypatch.setattr(waiting, "PIECE", 3)
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def land(lake: Lake, items: list[dict[str, Any]]) -> None:
    land_pages(lake, CALLS, [Page([dict(item) for item in items])], Bookmark(), source="carrierx", now=NOW)


def sids(lake: Lake) -> list[str]:
    return lake.scan("land/calls", [DAY]).select("dr_sid").collect().to_series().to_list()


Parts = dict[str, str]


def parts(lake: Lake, table: str = "land/calls") -> Parts:
    """The ids of each file by its label, of the first day without the day."""
    return {
        file.label.removeprefix(DAY) or "first": " ".join(
            lake.scan_files(table, [file]).select("dr_sid").collect().to_series()
        )
        for file in lake.files(table)
    }


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


def at(text: str, **changes: Any) -> dict[str, Any]:
    """Call ``07a`` ends in minute 7 of the day; ``07>09`` is call 07, which a newer version ends in minute 9."""
    sid, _, minute = text.partition(">")
    end = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=int((minute or sid)[:4].rstrip("abc")))
    dates = {"date_start": stamp(end), "date_talk": stamp(end), "date_stop": stamp(end)}
    return call(sid, **dates, version=3 if minute else 2, **changes)


NEXT_DAY = f"date={date(2026, 3, 2)}"
PARTS: dict[str, tuple[list[str], Parts]] = {
    "a day that is full goes on in the next part": (
        ["01 02 03 04 05 06"],
        {"first": "01 02 03 04", ".p0002": "05 06"},
    ),
    "the last part is filled up before another is opened": (
        ["01 02 03", "04 05 06"],
        {"first": "01 02 03 04", ".p0002": "05 06"},
    ),
    "what follows a full part leaves it alone": (
        ["01 02 03 04", "05"],
        {"first": "01 02 03 04", ".p0002": "05"},
    ),
    "one commit fills several parts": (
        ["01", "02 03 04 05 06 07 08 09 10"],
        {"first": "01 02 03 04", ".p0002": "05 06 07 08", ".p0003": "09 10"},
    ),
    "a late record goes into the part whose range it falls in": (
        ["01 02 05 06 07 08", "03"],
        {"first": "01 02 03 05 06", ".p0002": "07 08"},
    ),
    "one between two parts goes into the later": (
        ["01 02 03 04 07 08", "05"],
        {"first": "01 02 03 04", ".p0002": "05 07 08"},
    ),
    "one at the end of a part goes into it": (
        ["01 02 03 04 07 08", "04a"],
        {"first": "01 02 03 04 04a", ".p0002": "07 08"},
    ),
    "records of one commit go each into its own part": (
        ["01 02 05 06 07 08", "03 07a 09"],
        {"first": "01 02 03 05 06", ".p0002": "07 07a 08 09"},
    ),
    "an inner part is cut when it has doubled": (
        ["01 02 03 08 10 11", "04 05 06 07", "01a"],
        {"first": "01 01a 02 03 04", ".p0002": "10 11", ".p0003": "05 06 07 08"},
    ),
    "and what comes late after that goes into the halves": (
        ["01 02 03 08 10 11", "04 05 06 07", "01a", "04a 05a"],
        {"first": "01 01a 02 03 04 04a", ".p0002": "10 11", ".p0003": "05 05a 06 07 08"},
    ),
    "a late record into a full last part stays in it": (
        ["01 02 03 05", "04"],
        {"first": "01 02 03 04 05"},
    ),
    "a new version moves a record to another part": (
        ["01 02 03 04 05 06", "02>07"],
        {"first": "01 03 04", ".p0002": "05 06 02"},
    ),
    "a new version moves a record to another day": (
        ["01 02 03 04 05 06", "05>1441"],
        {"first": "01 02 03 04", ".p0002": "06", NEXT_DAY: "05"},
    ),
    "a part that lost all its records is gone, and its range falls to the next": (
        ["01 02 03 04 05 06", "01>06 02>06 03>06 04>06", "02a"],
        {".p0002": "02a 05 01 02 03", ".p0003": "04 06"},
    ),
    "the last part that is gone leaves its number free": (
        ["01 02 03 04 05", "05>02", "06"],
        {"first": "01 02 05 03 04", ".p0002": "06"},
    ),
    "identical content changes nothing": (
        ["01 02 03 04 05 06", "06 02"],
        {"first": "01 02 03 04", ".p0002": "05 06"},
    ),
}


def small_parts(monkeypatch: pytest.MonkeyPatch, full: int = 4) -> None:
    """A part takes four records, and the last one no more when it has ``full``."""
    monkeypatch.setattr(days, "PART", 4)
    monkeypatch.setattr(days, "FULL", full)


@pytest.mark.parametrize(("commits", "wanted"), PARTS.values(), ids=PARTS)
def test_parts_of_a_day(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, commits: list[str], wanted: Parts
) -> None:
    """Each commit is a list of records; a part takes four, and each record is in one of them."""
    small_parts(monkeypatch)
    for texts in commits:
        land(lake, [at(text) for text in texts.split()])
    assert parts(lake) == wanted


def test_only_the_part_that_records_come_into_is_written(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the cost of a commit does not grow with its day."""
    small_parts(monkeypatch)
    land(lake, [at(text) for text in "01 02 03 04 06 07".split()])
    written: list[str] = []
    stage = Lake.stage_pieces

    def noted(lake: Lake, table: str, label: str, pieces: Any) -> Any:
        written.append(label.removeprefix(DAY))
        return stage(lake, table, label, pieces)

    monkeypatch.setattr(Lake, "stage_pieces", noted)
    for text in ("08", "02a", "09 10"):
        land(lake, [at(sid) for sid in text.split()])
    assert written == [".p0002", "", ".p0002", ".p0003"]


FULL: dict[str, tuple[list[str], Parts]] = {
    "what as many records follow as make it full is written once": (
        ["01 02", "03 04", "05 06"],
        {"first": "01 02", ".p0002": "03 04", ".p0003": "05 06"},
    ),
    "the last part takes what follows until it is full": (
        ["01", "02 03", "04"],
        {"first": "01 02 03", ".p0002": "04"},
    ),
    "what falls into it comes into it though it is full": (
        ["01 03", "02 04"],
        {"first": "01 02 03", ".p0002": "04"},
    ),
}


@pytest.mark.parametrize(("commits", "wanted"), FULL.values(), ids=FULL)
def test_a_part_that_is_full(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, commits: list[str], wanted: Parts
) -> None:
    """With two records, though it takes four."""
    small_parts(monkeypatch, full=2)
    for texts in commits:
        land(lake, [at(text) for text in texts.split()])
    assert parts(lake) == wanted


def test_superseded_contents_lie_in_parts_too(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    for version in (2, 3, 4):
        land(lake, [at(text) | {"version": version} for text in ("01", "02", "03")])
    assert parts(lake, "land/calls_versions") == {"first": "01 01 02 02", ".p0002": "03 03"}


def test_a_part_is_shown_in_the_folder_of_its_day(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    land(lake, [at(text) for text in "01 02 03 04 05 06".split()])
    lake.publish(NOW)
    assert {path.parent.name for path in (lake.home / "lake").rglob("*.parquet")} == {DAY}
    assert lake.scan("land/calls", [DAY]).collect().height == 6
