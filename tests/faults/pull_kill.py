"""Pulls both feeds in a process that is killed at random times, again and again, and compares with what is there.

``python -m tests.faults.pull_kill --kills 1000`` does what ``test_pull_kill`` does, for as long as one likes.
"""

import argparse
import random
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.provider.faults import Faults
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.journey.house import AS_OF, TOKEN, House, Provider, make_house
from tests.journey.warm import Warm

WORLD = WorldConfig(
    seed=21, calls=2_400, messages=800, faults=Faults.parse("late_inserts=0.02,truncated=0.02,http_500=0.02")
)
PAGE, PAGES_PER_COMMIT = 80, 3


def pull(home: str, url: str) -> None:
    """What is killed: both feeds, in small pages and small commits."""
    from pipeline.desk import Desk, landing
    from pipeline.domain.cursor import FEEDS
    from pipeline.pull import walk
    from pipeline.settings import Settings

    walk.LIMIT, landing.PAGES_PER_COMMIT = PAGE, PAGES_PER_COMMIT
    since = datetime.fromisoformat("2026-03-01T00:00:00Z")
    settings = Settings(home=Path(home), api_url=url, api_token=TOKEN, since=since)
    desk = Desk.open(settings, now=datetime.fromisoformat(AS_OF))
    for feed in FEEDS:
        desk.pull_feed(feed)


@dataclass(slots=True)
class Tally:
    """What a loop of kills did: ``homes`` were filled by workers of which ``kills`` were killed."""

    homes: int = 0
    kills: int = 0
    longest: float = 0.0


def fill_home(house: House, provider: Provider, chance: random.Random, tally: Tally, most: int) -> None:
    """Kills workers on one home, at most so many, until one comes through."""
    while True:
        started = time.monotonic()
        worker = house.warm.call("tests.faults.pull_kill:pull", str(house.home), provider.url)
        patience = chance.uniform(0, tally.longest or 1.0) if tally.kills < most else float("inf")
        done = worker.kill_when(lambda s=started, p=patience: time.monotonic() - s > p)
        if done.code == 0:
            tally.homes += 1
            tally.longest = max(tally.longest, time.monotonic() - started)
            return
        assert done.code == -9, done.said
        tally.kills += 1


def check_home(house: House, provider: Provider) -> None:
    """Nothing is lost, nothing is there twice, and the counters know of everything."""
    for resource in ("calls", "messages"):
        landed = [sid for (sid,) in house.rows(f"select dr_sid from land.{resource} order by dr_sid")]
        assert landed == [record["dr_sid"] for record in provider.records(resource)]
        [(fetched, fresh, superseding, identical, quarantined)] = house.ledger(
            "select sum(fetched), sum(fresh), sum(superseding), sum(identical), sum(quarantined) from landings "
            f"where resource = '{resource}'"
        )
        assert fetched == fresh + superseding + identical + quarantined
        assert (fresh, superseding, quarantined) == (len(landed), 0, 0)


def kill_pulls(folder: Path, warm: Warm, provider: Provider, kills: int, seed: int) -> Tally:
    """Fills one home after the other until so many workers were killed, and checks each."""
    chance, tally = random.Random(seed), Tally()
    while tally.kills < kills:
        house = make_house(folder / f"home-{tally.homes}", warm, provider.url)
        fill_home(house, provider, chance, tally, kills)
        check_home(house, provider)
    return tally


def main() -> None:
    """The loop from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory() as name,
        Warm(Path(name)) as warm,
        start_background(WORLD, TOKEN) as background,
    ):
        tally = kill_pulls(Path(name), warm, Provider(background), asked.kills, asked.seed)
    print(f"{tally.kills} kills, {tally.homes} homes: nothing lost, nothing twice")


if __name__ == "__main__":
    main()
