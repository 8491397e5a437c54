"""The ways in which the provider's own published clients walk a feed, each to the end: complete, in order, the truth.

One walks by filter and order and follows ``pagination.next``; two go on by ``after`` the last record they hold. They
are imitated here to the letter, with pages that the server cuts short and records that come in while they walk.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx import Client

from pipeline.provider.app import create_app
from pipeline.provider.faults import Faults
from pipeline.provider.records import Feed
from pipeline.provider.traffic import stamp
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client

FEEDS = [
    pytest.param("/core/v2/calls/call_drs", "date_stop", id="calls"),
    pytest.param("/core/v2/sms/message_drs", "date_insert", id="messages"),
]
BEGIN = "2026-03-02T00:00:00Z"
Between = Callable[[], None]


def nothing() -> None:
    """What mostly happens between two pages."""


def by_links(
    api: Client, path: str, key: str, limit: int, between: Between = nothing
) -> list[dict[str, Any]]:
    """Filter and order once; from there on wherever ``pagination.next`` leads, until there is none."""
    page = api.get(path, params={"limit": limit, "order": f"{key} asc", "filter": f"{key} ge {BEGIN}"}).json()
    found = page["items"]
    while "next" in (page["pagination"] or {}):
        between()
        page = api.get(page["pagination"]["next"]).json()
        found += page["items"]
    return found


def by_cursor(
    api: Client, path: str, key: str, limit: int, between: Between = nothing
) -> list[dict[str, Any]]:
    """The first record by filter; then what follows the last one held, until a page is empty."""
    first = api.get(path, params={"limit": 1, "order": f"{key} asc", "filter": f"{key} ge {BEGIN}"}).json()
    page, found = first, first["items"]
    while page["items"]:
        between()
        asked = {"limit": limit, "order": f"{key} asc", "after": found[-1]["dr_sid"]}
        page = api.get(path, params=asked).json()
        found += page["items"]
    return found


def world(faults: str = "") -> World:
    return World(WorldConfig(seed=3, calls=340, messages=260, days=4, faults=Faults.parse(faults)))


def truth(held: World, path: str) -> list[dict[str, Any]]:
    """What the provider holds from ``BEGIN`` on, in order, made without its lists."""
    feed: Feed = held.calls if "calls" in path else held.messages
    seen = (n for n in range(feed.count) if feed.inserted(n) <= held.now_ms)
    return [feed.record(n, held.now_ms) for n in seen if stamp(feed.time(n)) >= BEGIN.replace("Z", ".000Z")]


@pytest.mark.parametrize(("path", "key"), FEEDS)
@pytest.mark.parametrize("walk", [by_links, by_cursor])
@pytest.mark.parametrize(
    "faults", ["", "most_per_page=7", "late_inserts=0.2"], ids=["", "limit lowered", "late"]
)
@pytest.mark.parametrize("limit", [1000, 20])
def test_a_walk_is_complete_and_in_order(path: str, key: str, walk: Any, faults: str, limit: int) -> None:
    held = world(faults)

    assert walk(client(create_app(held)), path, key, limit) == truth(held, path)


@pytest.mark.parametrize(("path", "key"), FEEDS)
def test_a_walk_by_cursor_takes_along_what_comes_in_before_it(path: str, key: str) -> None:
    """Records are inserted at the end while the walk is under way: it ends with the last of them."""
    held = world()
    held.clock.set(datetime.fromisoformat("2026-03-03T00:00:00Z"))

    def later() -> None:
        held.clock.set(
            min(held.clock.now() + timedelta(hours=2), datetime.fromisoformat("2026-03-06T00:00:00Z"))
        )

    found = by_cursor(client(create_app(held)), path, key, 20, later)

    expected = truth(held, path)
    assert [r["dr_sid"] for r in found] == [r["dr_sid"] for r in expected]
    assert [r[key] for r in found] == sorted(r[key] for r in found)


def test_what_comes_in_behind_a_walk_shifts_offsets_and_not_cursors() -> None:
    """Why the pull does not follow links: an insert before the place of an offset shows a record twice."""
    path, key = "/core/v2/calls/call_drs", "date_stop"
    repeated = {}
    for walk in (by_links, by_cursor):
        held = world("late_inserts=0.3")
        held.clock.set(datetime.fromisoformat("2026-03-04T12:00:00Z"))

        def later(held: World = held) -> None:
            held.clock.set(held.clock.now() + timedelta(minutes=40))

        sids = [r["dr_sid"] for r in walk(client(create_app(held)), path, key, 20, later)]
        repeated[walk.__name__] = len(sids) - len(set(sids))

    assert repeated["by_links"] > 0
    assert repeated["by_cursor"] == 0
