"""Two providers may give two records the same secure id: they stay two."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.cursor import MESSAGES, Bookmark, Page
from pipeline.lake.lake import Lake
from pipeline.land.records import Landed, land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def land(lake: Lake, source: str, *items: dict[str, Any]) -> Landed:
    return land_pages(lake, MESSAGES, [Page([dict(i) for i in items])], Bookmark(), source=source, now=NOW)


def message(**changes: Any) -> dict[str, Any]:
    at = "2026-03-01T08:00:00.000Z"
    return {
        "dr_sid": "same",
        "partner_sid": "shop",
        "date_start": at,
        "date_insert": at,
        "status": "sent",
    } | changes


def current(lake: Lake) -> list[tuple]:
    query = "select source, dr_sid, revision, status from land.messages order by all"
    return [tuple(row.values()) for row in lake.query(query)]


def test_the_same_secure_id_of_two_providers_is_two_records(lake: Lake) -> None:
    landed = [land(lake, source, message()) for source in ("carrierx", "fonedynamics")]

    assert [(one.fresh, one.identical) for one in landed] == [(1, 0), (1, 0)]
    assert current(lake) == [("carrierx", "same", 1, "sent"), ("fonedynamics", "same", 1, "sent")]


def test_a_change_of_one_leaves_the_other(lake: Lake) -> None:
    for source in ("carrierx", "fonedynamics"):
        land(lake, source, message())

    landed = land(lake, "fonedynamics", message(status="delivered"))

    assert (landed.fresh, landed.superseding) == (0, 1)
    assert current(lake) == [("carrierx", "same", 1, "sent"), ("fonedynamics", "same", 2, "delivered")]


def test_one_that_moves_to_another_day_leaves_the_other_where_it_is(lake: Lake) -> None:
    for source in ("carrierx", "fonedynamics"):
        land(lake, source, message())

    land(lake, "fonedynamics", message(date_insert="2026-03-02T08:00:00.000Z"))

    assert [f.label for f in lake.files("land/messages")] == ["date=2026-03-01", "date=2026-03-02"]
    assert current(lake) == [("carrierx", "same", 1, "sent"), ("fonedynamics", "same", 2, "sent")]
