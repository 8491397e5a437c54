"""Two runs on one home at once: one works, the other says who does and leaves the home alone."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.homes import make_home
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.journey.house import RATES, TOKEN, House, Provider
from tests.journey.warm import Done, Running, Warm

WORLD = WorldConfig(seed=9, calls=120, messages=30, start=date(2026, 3, 30), days=2, rates=RATES)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that takes its time, so that a run can be met at work."""
    with start_background(WORLD, TOKEN) as background:
        provider = Provider(background)
        provider.set_faults("slow=0.7")
        yield provider


@pytest.fixture
def house(tmp_path: Path, warm: Warm, provider: Provider) -> House:
    home = tmp_path / "home"
    make_home(home)
    (home / "tollbook.toml").write_text('since = "2026-03-30"\nbill_from = "2026-03-30"\n')
    return House(home, warm, {"TOLLBOOK_API_URL": provider.url, "TOLLBOOK_API_TOKEN": TOKEN})


def by_hand(house: House) -> Running:
    return house.start("pull")


def by_dagster(house: House) -> Running:
    settings = {"TOLLBOOK_HOME": str(house.home), **house.settings}
    return house.warm.call("tests.faults.test_two_runs:execute", settings)


def execute(settings: dict[str, str]) -> None:
    """``dagster job execute`` of the hourly job, where everything is imported already."""
    from dagster._cli import create_dagster_cli

    os.environ.update(settings)
    create_dagster_cli()(["job", "execute", "-m", "pipeline.definitions", "-j", "poll"])


def until(reached: Callable[[], bool], run: Running) -> None:
    while not reached():
        assert run.runs(), run.wait().said
        time.sleep(0.02)


def said_so_far(run: Running) -> str:
    return run._out.read_text(errors="replace") + run._err.read_text(errors="replace")


def held(house: House, run: Running) -> Running:
    """A run that has the home in its hands, and is stopped there until it is told to go on."""
    lock = house.home / ".lock"
    until(lambda: lock.exists() and lock.read_text() != "", run)
    os.kill(run.pid, signal.SIGSTOP)
    return run


def end(run: Running, provider: Provider) -> Done:
    """How a run that was stopped ends."""
    provider.set_faults("")
    os.kill(run.pid, signal.SIGCONT)
    return run.wait()


def landed(house: House, provider: Provider) -> bool:
    """Whether everything that is there is in the home, once."""
    return all(
        house.rows(f"select dr_sid from land.{name} order by dr_sid")
        == [(record["dr_sid"],) for record in provider.records(name)]
        for name in ("calls", "messages")
    )


@pytest.mark.parametrize("first", [by_hand, by_dagster])
def test_a_second_run_says_who_works_and_leaves(
    house: House, provider: Provider, first: Callable[[House], Running]
) -> None:
    working = held(house, first(house))

    second = by_hand(house).wait()

    assert (second.code, "Traceback" in second.said) == (1, False)
    assert f"another run works on {house.home} (process {working.pid})" in second.err.replace("\n", " ")
    done = end(working, provider)
    assert done.code == 0, done.said
    assert landed(house, provider)


def test_of_two_jobs_of_dagster_one_works_and_the_other_waits_its_turn(
    house: House, provider: Provider
) -> None:
    working = held(house, by_dagster(house))
    second = by_dagster(house)
    until(lambda: "another run works on" in said_so_far(second), second)
    second.kill()

    done = end(working, provider)

    assert done.code == 0, done.said
    assert "up for retry" in second.wait().said.lower().replace("_", " ")
    assert landed(house, provider)
