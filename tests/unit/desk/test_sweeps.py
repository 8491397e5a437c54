"""What was inserted late is found by a sweep: within its window by the end of calls, without one by insertion.

The window is one by the provider's clock, whatever ours says.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.desk.desk import Desk
from pipeline.domain.cursor import CALLS
from pipeline.land.records import Landed
from pipeline.provider.faults import Faults
from pipeline.provider.server import Background, start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.settings import Settings

FIRST, SECOND = datetime(2026, 3, 30, 6, tzinfo=UTC), datetime(2026, 3, 31, 12, tzinfo=UTC)


def world(faults: str) -> World:
    parsed = Faults.parse(f"late_inserts=0.3,{faults}")
    return World(WorldConfig(seed=3, calls=600, messages=10, start=date(2026, 3, 29), days=2, faults=parsed))


@pytest.fixture(params=["", "insert_order=1"], ids=["by end", "by insertion"])
def provider(request: pytest.FixtureRequest) -> Iterator[tuple[World, Background, bool]]:
    held = world(request.param)
    with start_background(held, "token", process=False) as background:
        yield held, background, bool(request.param)


def pull(
    home: Path,
    background: Background,
    world: World,
    at: datetime,
    lookback: timedelta = timedelta(hours=1),
    ahead: timedelta = timedelta(0),
) -> tuple[Desk, Landed]:
    """A pull with a sweep, which mostly looks back far too short a time; our clock may be ahead of the provider's."""
    world.clock.set(at)
    since = datetime(2026, 3, 28, tzinfo=UTC)
    settings = Settings(home, background.url, "token", since=since, lookback=lookback)
    desk = Desk.open(settings, now=at + ahead)
    return desk, desk.pull_feed(CALLS)


def missing(desk: Desk, held: World) -> set[str]:
    """What the provider has inserted and the home has not."""
    found = set(desk.lake.scan("land/calls").collect()["dr_sid"])
    there = {
        held.calls.codec.encode(i) for i in range(held.calls.count) if held.calls.inserted(i) <= held.now_ms
    }
    assert found <= there
    return there - found


def test_walk_by_insertion_has_no_horizon(provider: tuple[World, Background, bool], tmp_path: Path) -> None:
    """Calls come up to 20 hours late; the window is one hour. By insertion all are found, by their end not all."""
    held, background, by_insertion = provider
    pull(tmp_path, background, held, FIRST)
    desk, landed = pull(tmp_path, background, held, SECOND)
    assert (missing(desk, held) == set()) is by_insertion
    assert landed.late > 0


@pytest.mark.parametrize("hours", [-2, 2], ids=["behind", "ahead"])
def test_nothing_is_lost_by_a_clock_that_is_wrong(
    provider: tuple[World, Background, bool], tmp_path: Path, hours: int
) -> None:
    """A sweep looks back an hour longer than the call had ended that was not there at the first pull."""
    held, background, _ = provider
    calls, first = held.calls, int(FIRST.timestamp()) * 1000
    longest = max(first - calls.time(i) for i in range(calls.count) if calls.inserted(i) > first)
    lookback = timedelta(milliseconds=longest, hours=1)
    for at in (FIRST, SECOND):
        desk, _ = pull(tmp_path, background, held, at, lookback, timedelta(hours=hours))
    assert missing(desk, held) == set()


def test_lag_near_the_window_is_a_warning(provider: tuple[World, Background, bool], tmp_path: Path) -> None:
    """It names the setting that helps."""
    held, background, _ = provider
    _, landed = pull(tmp_path, background, held, SECOND)
    assert landed.slowest > timedelta(hours=10)
    assert "TOLLBOOK_LOOKBACK_HOURS" in landed.warning
