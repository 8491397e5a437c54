"""Pulling that is killed at any time loses nothing and lands nothing twice; see ``pull_kill`` for many more kills."""

import random
from pathlib import Path

from pipeline.provider.server import start_background
from tests.faults.pull_kill import WORLD, kill_pulls
from tests.journey.house import TOKEN, Provider
from tests.journey.warm import Warm

KILLS = 24


def test_killed_pulls_lose_nothing_and_land_nothing_twice(tmp_path: Path, warm: Warm) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails

    with start_background(WORLD, TOKEN) as background:
        tally = kill_pulls(tmp_path, warm, Provider(background), KILLS, seed)

    assert tally.kills == KILLS
