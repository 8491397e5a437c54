"""Pulling that is killed at any time loses nothing and lands nothing twice; see ``pull_kill`` for many more kills."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.journey.warm import ROOT

KILLS = 200


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the loop did. It has a process of its own: whoever forks must not have started a thread."""
    program = [sys.executable, "-m", "tests.faults.pull_kill", "--kills", str(KILLS)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_hundred_killed_workers_lose_nothing_and_land_nothing_twice(told: dict[str, Any]) -> None:
    """The loop compares each home with the provider's list and with a home that was left alone."""
    assert told["kills"] == KILLS
    assert min(told["by"]["SIGKILL"], told["by"]["SIGTERM"]) > KILLS // 4


def test_the_kills_hit_every_job_and_every_step(told: dict[str, Any]) -> None:
    """A loop that only hits what takes long would not know about renames and commits."""
    assert set(told["jobs"]) == {"pull", "sweep", "repair", "pull again", "publish"}
    assert [step for step, times in told["steps"].items() if times < 2] == []
