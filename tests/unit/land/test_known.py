"""Whether a record is held already is found in any file, whoever wrote it, and in bounded memory."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain.cursor import CALLS, Bookmark, Page
from pipeline.lake.lake import Lake
from pipeline.land import known
from pipeline.land.records import Landed, land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url
from tests.fixtures.records import call

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    known._known.clear()
    yield Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))
    known._known.clear()


def land(lake: Lake, *sids: str) -> Landed:
    """Call ``3x`` is of the third of the month."""
    items = [call(sid, date_stop=f"2026-03-{int(sid[0]) + 1:02d}T15:35:03.000Z") for sid in sids]
    return land_pages(lake, CALLS, [Page(items)], Bookmark(), source="carrierx", now=NOW)


@pytest.mark.parametrize("at_once", [1, 3, 100], ids=["a file", "two files", "all files"])
@pytest.mark.parametrize("new", [False, True], ids=["the process that wrote them", "another process"])
def test_a_record_is_found_wherever_it_lies(
    at_once: int, new: bool, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_TOGETHER", at_once)
    land(lake, "1a", "1b", "2a", "3a", "4a", "4b")
    if new:
        known._known.clear()
    landed = [land(lake, sid, "5" + sid) for sid in ("1b", "2a", "3a", "4b")]
    assert [(found.fresh, found.identical) for found in landed] == [(1, 1)] * 4


def test_what_was_replaced_is_forgotten_and_its_room_used_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_SLACK", 0)
    for n in range(20):
        land(lake, f"1{n}")
    assert [land(lake, f"1{n}").identical for n in range(20)] == [1] * 20
    assert list(known._known.places) == [file.path for file in lake.files("land/calls")]
    assert known._known.disk.size <= 3 * 20 * 8


def test_a_write_that_is_cut_short_goes_on(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda disk, data, at: whole(disk, data[:5], at))
    land(lake, "1a", "1b", "1c")
    assert land(lake, "1a", "1b", "1c").identical == 3
