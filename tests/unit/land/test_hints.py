"""Hints come true when the record has landed; those that do not are named after a day, and forgotten in the end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.cursor import CALLS, MESSAGES, Bookmark, Feed, Page
from pipeline.domain.hint import Hint
from pipeline.lake.lake import Lake
from pipeline.land.hints import settle
from pipeline.land.records import Landed, land_pages
from pipeline.ledger import hints
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.measure.hints import export_hints
from tests.fixtures.records import call

RECEIVED = datetime(2026, 3, 1, 16, tzinfo=UTC)
NEXT_DAY = RECEIVED + timedelta(days=1, minutes=1)
SAID = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def told(lake: Lake, *found: Hint, at: datetime = RECEIVED) -> None:
    with lake.ledger.transaction() as tx:
        hints.note(tx, found, at)


def landed(lake: Lake, feed: Feed, *items: dict[str, Any]) -> None:
    land_pages(lake, feed, [Page(list(items))], Bookmark(), source="carrierx", now=RECEIVED)


def message(**changes: Any) -> dict[str, Any]:
    at = "2026-03-01T08:00:00.000Z"
    numbers = {"number_src": "+15162065319", "number_dst": "15162065318"}
    return {"dr_sid": "dr-1", "partner_sid": "shop", "date_start": at, "date_insert": at} | numbers | changes


def seen(lake: Lake) -> dict[str, bool]:
    with lake.ledger.read() as tx:
        return {row["sid"]: row["seen_at"] is not None for row in hints.rows(tx)}


def test_a_call_is_seen_by_its_id_and_one_that_never_came_is_named_after_a_day(lake: Lake) -> None:
    stopped = datetime(2026, 3, 1, 15, 32, 19, tzinfo=UTC)
    told(lake, Hint("calls", "came", "", "", stopped), Hint("calls", "never", "", "", stopped))
    landed(lake, CALLS, call("came"))

    assert settle(lake, CALLS, RECEIVED + timedelta(hours=1)) == []
    assert seen(lake) == {"came": True, "never": False}
    assert settle(lake, CALLS, NEXT_DAY) == ["never"]


def test_a_hint_without_a_time_is_looked_for_everywhere(lake: Lake) -> None:
    told(lake, Hint("calls", "came", "", "", None))
    landed(lake, CALLS, call("came"))
    settle(lake, CALLS, RECEIVED)

    assert seen(lake) == {"came": True}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="the same message under another id"),
        pytest.param({"dr_sid": "ms-1", "number_src": "1"}, True, id="the same id"),
        pytest.param({"date_insert": "2026-03-01T08:04:59.000Z"}, True, id="minutes later"),
        pytest.param({"date_insert": "2026-03-01T08:05:01.000Z"}, False, id="too much later"),
        pytest.param({"number_dst": "15162065310"}, False, id="to another number"),
    ],
)
def test_a_message_is_seen_by_its_id_or_by_who_wrote_to_whom_and_when(
    lake: Lake, changes: dict[str, Any], expected: bool
) -> None:
    told(lake, Hint("messages", "ms-1", "15162065319", "15162065318", SAID))
    landed(lake, MESSAGES, message(**changes))
    settle(lake, MESSAGES, RECEIVED)

    assert seen(lake) == {"ms-1": expected}


def test_a_hint_is_of_one_kind_of_record(lake: Lake) -> None:
    told(lake, Hint("messages", "came", "", "", None))
    landed(lake, CALLS, call("came"))
    settle(lake, CALLS, NEXT_DAY)

    assert seen(lake) == {"came": False}


def test_hints_are_forgotten_in_the_end(lake: Lake) -> None:
    told(lake, Hint("calls", "came", "", "", None), Hint("calls", "never", "", "", None))
    landed(lake, CALLS, call("came"))
    settle(lake, CALLS, RECEIVED)

    settle(lake, CALLS, RECEIVED + timedelta(days=8))
    assert seen(lake) == {"never": False}
    settle(lake, CALLS, RECEIVED + timedelta(days=31))
    assert seen(lake) == {}


def test_what_was_seen_is_forgotten_also_where_nothing_waits(lake: Lake) -> None:
    told(lake, Hint("calls", "came", "", "", None))
    landed(lake, CALLS, call("came"))
    settle(lake, CALLS, RECEIVED)
    settle(lake, CALLS, RECEIVED + timedelta(days=8))

    assert seen(lake) == {}


def test_the_lake_shows_which_have_not_come_true(lake: Lake) -> None:
    assert export_hints(lake, lake.ledger, at=RECEIVED) is False
    told(lake, Hint("calls", "came", "", "", None), Hint("calls", "never", "1", "2", SAID))
    landed(lake, CALLS, call("came"))
    settle(lake, CALLS, RECEIVED)

    changed = [export_hints(lake, lake.ledger, at=RECEIVED) for _ in range(2)]

    assert changed == [True, False]
    assert [row["sid"] for row in lake.query("select * from measure.unseen_hints")] == ["never"]


def test_a_pull_says_what_it_was_told_of_and_has_not_seen() -> None:
    assert Landed().problems == ()
    assert Landed(unseen=["a", "b"]).problems == (
        "the provider told of 2 records that the pull has not seen for a day, a for one: see measure.unseen_hints",
    )
