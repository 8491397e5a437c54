"""Walks: every record once, an end that is an empty page, and no endless loop."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.domain.cursor import CALLS, Bookmark
from pipeline.errors import NotFoundError, TerminalError
from pipeline.pull import walk

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def record(n: int) -> dict[str, Any]:
    at = T0 + timedelta(minutes=n)
    return {"dr_sid": f"sid-{n:03d}", "date_stop": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}


class Server:
    """A list of records sorted by date_stop, with the provider's cursor semantics."""

    def __init__(
        self, count: int, *, before: str = "adjacent", expired: set[str] = frozenset(), repeat: bool = False
    ) -> None:
        self.records = [record(n) for n in range(count)]
        self.before, self.expired, self.repeat = before, expired, repeat
        self.requests: list[dict] = []

    def get_page(self, path: str, params: dict) -> dict:
        self.requests.append(params)
        return {"items": self.select(params), "has_more": True, "total": None}

    def select(self, params: dict) -> list[dict]:
        rows = self.records if params["order"].endswith("asc") else self.records[::-1]
        limit = min(params["limit"], 10)
        cursor = params.get("after") or params.get("before")
        if cursor in self.expired:
            raise NotFoundError("gone")
        if "filter" in params:
            value = params["filter"].split(" ge ")[1]
            return [r for r in rows if r["date_stop"] >= value][:limit]
        place = next(i for i, r in enumerate(rows) if r["dr_sid"] == cursor)
        if "after" in params:
            return rows[:limit] if self.repeat else rows[place + 1 : place + 1 + limit]
        return rows[max(0, place - limit) : place] if self.before == "adjacent" else rows[: min(limit, place)]


def sids(walked: list[walk.Walked]) -> list[str]:
    return [item["dr_sid"] for w in walked for item in w.page.items]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 37])
def test_first_poll_gets_everything_once(count: int) -> None:
    """Page borders lose nothing and repeat nothing."""
    server = Server(count)
    found = list(walk.poll(server, CALLS, Bookmark(), T0, timedelta(minutes=15)))
    assert sids(found) == [r["dr_sid"] for r in server.records]


def test_poll_goes_on_from_its_cursor() -> None:
    """What lies before the cursor is not fetched again."""
    server = Server(25)
    found = list(walk.poll(server, CALLS, Bookmark(cursor_sid="sid-020"), T0, timedelta(0)))
    assert sids(found) == [f"sid-{n:03d}" for n in range(21, 25)]


def test_expired_cursor_goes_on_by_filter_with_an_overlap() -> None:
    """A cursor that is gone costs an overlap, not a gap."""
    server = Server(25, expired={"sid-020"})
    mark = Bookmark(cursor_sid="sid-020", cursor_value=T0 + timedelta(minutes=20))
    found = list(walk.poll(server, CALLS, mark, T0, timedelta(minutes=5)))
    assert sids(found) == [f"sid-{n:03d}" for n in range(15, 25)]


def test_repeating_server_is_an_error_that_names_the_cursor() -> None:
    """Never an endless loop, never a silent stop."""
    with pytest.raises(TerminalError, match="sid-0"):
        list(walk.poll(Server(40, repeat=True), CALLS, Bookmark(cursor_sid="sid-030"), T0, timedelta(0)))


@pytest.mark.parametrize("before", ["adjacent", "from the start"])
def test_history_walks_back_to_since_whatever_before_means(before: str) -> None:
    """Where ``before`` does not give neighbours, the walk falls back to desc and after."""
    server = Server(60, before=before)
    mark = Bookmark(oldest_sid="sid-050", oldest_value=T0 + timedelta(minutes=50))
    found = list(walk.history(server, CALLS, mark, T0 + timedelta(minutes=12)))
    assert sorted(sids(found)) == [f"sid-{n:03d}" for n in range(12, 50)]


def test_window_stops_behind_its_end() -> None:
    """A sweep reads its window, not the rest of time."""
    server = Server(100)
    found = list(walk.window(server, CALLS, T0 + timedelta(minutes=10), T0 + timedelta(minutes=35)))
    assert sids(found) == [f"sid-{n:03d}" for n in range(10, 40)]
