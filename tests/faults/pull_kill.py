"""Pulls, sweeps, repairs and publishes in processes that are killed at random instants, and looks at what is there.

``python -m tests.faults.pull_kill --kills 1000`` does what ``test_pull_kill`` does, for as long as one likes. Each home
goes through the ``JOBS``: it pulls, pulls a day later (late records, new versions, a sweep), loses files and has
them repaired, pulls and publishes. It must end with what the provider lists, and with the tables of a home whose
workers were left alone. Everything that reads tables runs in a forked process too, for the parent may start no thread.
"""

import argparse
import gc
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.provider.faults import Faults
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from pipeline.shipped import shipped
from tests.faults.killing import Killer
from tests.fixtures.forks import make_ready
from tests.journey.house import RATES, TOKEN, Provider

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
DAY_2, DAY_3 = datetime(2026, 3, 2, 20, tzinfo=UTC), datetime(2026, 3, 3, 21, tzinfo=UTC)
WORLD = WorldConfig(
    seed=21, calls=320, messages=120, start=date(2026, 3, 1), days=4, rates=RATES,
    faults=Faults.parse("late_inserts=0.03,version_bumps=25,late_status=0.3"),
)  # fmt: skip
PAGE, PER_COMMIT, FULL, PART = 30, 60, 25, 30
_LOADED = (
    "polars", "duckdb", "numpy.ma", "pyarrow.parquet", "sqlalchemy.dialects.sqlite", "httpcore", "_strptime",
    "dateutil.relativedelta", "encodings.idna", "encodings.utf_8_sig", "importlib.readers", "pipeline.desk",
    "pipeline.desk.sources", "pipeline.invoice.suspense", "pipeline.land.hints", "pipeline.land.repair",
    "pipeline.land.retention", "pipeline.land.walks", "pipeline.lake.care", "pipeline.measure.exchange",
    "pipeline.measure.hints", "pipeline.measure.statement", "pipeline.pull.snapshots", "pipeline.pull.walk",
)  # fmt: skip
_TABLES = ("land/calls", "land/calls_versions", "land/messages", "land/messages_versions", "land/quarantine")


def desk(home: Path, url: str, now: datetime) -> Any:
    """The desk of a home, in small pages, small commits and small parts of days."""
    from pipeline.desk import Desk
    from pipeline.land import days, walks
    from pipeline.pull import walk
    from pipeline.settings import Settings

    walk.LIMIT, walks._FEWEST, walks._MOST = PAGE, PER_COMMIT, PER_COMMIT
    days.FULL, days.PART = FULL, PART
    return Desk.open(Settings(home=home, api_url=url, api_token=TOKEN, since=SINCE), now=now)


def pull(home: Path, url: str, now: datetime) -> None:
    """Both feeds, and the sweep where it is due."""
    from pipeline.domain.cursor import FEEDS

    opened = desk(home, url, now)
    for feed in FEEDS:
        opened.pull_feed(feed)


def repair(home: Path, url: str, now: datetime) -> None:
    """What is damaged is pulled again."""
    desk(home, url, now).verify(repair=True)


def publish(home: Path, url: str, now: datetime) -> None:
    """The last commit is shown to everybody."""
    desk(home, url, now).publish()


Job = Callable[[Path, str, datetime], None]
# What a home goes through: the work, at which time, and how often at most it is killed.
JOBS: tuple[tuple[str, Job, datetime, int], ...] = (
    ("pull", pull, DAY_2, 20),
    ("sweep", pull, DAY_3, 20),
    ("repair", repair, DAY_3, 10),
    ("pull again", pull, DAY_3, 3),
    ("publish", publish, DAY_3, 3),
)


@dataclass(slots=True)
class Loop:
    """Homes that are filled one after the other under the killer's hands."""

    folder: Path
    provider: Provider
    killer: Killer
    homes: int = 0

    def home(self) -> Path:
        """A new home, with master data."""
        self.homes += 1
        home = self.folder / f"home-{self.homes}"
        shutil.copytree(shipped("data", "masters"), home / "masters")
        return home

    def fill(self, home: Path, kills: int) -> dict[str, Any]:
        """All jobs on one home, at most so many of them killed; returns what it then holds."""
        for name, job, now, most in JOBS:
            self.provider.set_clock(now.isoformat())
            if job is repair:
                damage(home)
            work, before = partial(job, home, self.provider.url, now), self.killer.tally.kills
            self.killer.run(name, work, min(most, kills))
            kills -= self.killer.tally.kills - before
        found = self.folder / "held.json"
        self.killer.run("read", partial(_tell, home, found), 0)
        return json.loads(found.read_text())

    def run(self, kills: int) -> None:
        """As many homes as it takes for so many kills; each is compared with the provider and with the first."""
        unharmed = self.fill(self.home(), 0)
        check(unharmed, self.provider)
        assert unharmed["commits"] > 12, "the commits are too few to be killed between"
        while (left := kills - self.killer.tally.kills) > 0:
            home = self.home()
            held = self.fill(home, left)
            check(held, self.provider)
            other = [name for name in _TABLES if held["tables"][name] != unharmed["tables"][name]]
            assert other == [], f"a home that was left alone has another {', '.join(other)}"
            shutil.rmtree(home)


def damage(home: Path) -> None:
    """A bit flips in two parts of one day, and another file is gone."""
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        query = "select path from files where table_name = ? and dead_commit_id is null order by label"
        calls, messages = (
            [home / path for (path,) in ledger.execute(query, (f"land/{name}",))] for name in ("calls", "messages")
        )  # fmt: skip
    second = next(place for place, path in enumerate(calls) if ".p0002." in path.name)
    for path in calls[second - 1 : second + 1]:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
    messages[1].unlink()


def _tell(home: Path, target: Path) -> None:
    """What a home holds, and what its counters know."""
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger, sqlite_url

    with closing(Ledger.open(sqlite_url(home / "ledger.db"))) as ledger:
        lake = Lake(home, ledger)
        tables = {name: sorted(map(repr, lake.scan(name).collect().rows())) for name in _TABLES}
        held = {}
        for name in ("calls", "messages"):
            columns = lake.scan(f"land/{name}").select("dr_sid", "version", "price").collect()
            held[name] = [
                [sid, version, format(price.normalize(), "f")] for sid, version, price in columns.rows()
            ]
        sums = ", ".join(
            f"sum({count})" for count in ("fetched", "fresh", "superseding", "identical", "quarantined")
        )
        with ledger.read() as tx:
            rows = tx.exec_driver_sql(f"select resource, {sums} from landings group by 1")
            counts = {row[0]: list(row[1:]) for row in rows}
            commits = tx.exec_driver_sql("select count(*) from commits").scalar()
    target.write_text(json.dumps({"tables": tables, "held": held, "counts": counts, "commits": commits}))


def check(found: dict[str, Any], provider: Provider) -> None:
    """Nothing is lost, nothing is there twice, each record is as the provider has it, and the counters add up."""
    visible = provider.admin("truth")["visible"]
    for name in ("calls", "messages"):
        there = [[r["dr_sid"], r["version"], r["price"]] for r in provider.records(name)]
        held = sorted(found["held"][name])
        lost, more = [r for r in there if r not in held], [r for r in held if r not in there]
        assert (lost, more, len(held)) == ([], [], len(there)), (
            f"{name}: {len(lost)} lost, {len(more)} too many"
        )
        assert len(there) == visible[name]
        fetched, fresh, superseding, identical, quarantined = found["counts"][name]
        assert fetched == fresh + superseding + identical + quarantined
        assert (fresh, quarantined) == (len(there), 0)
        assert superseding == len(found["tables"][f"land/{name}_versions"])


def kill_pulls(folder: Path, kills: int, killer: Killer) -> None:
    """Starts a provider and kills so many workers."""
    make_ready(_LOADED)
    try:
        with start_background(WORLD, TOKEN) as background:
            Loop(folder, Provider(background), killer).run(kills)
    finally:
        gc.unfreeze()


def main() -> None:
    """The loop from the command line; Ctrl-C ends it, and it says what it did so far."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    asked = parser.parse_args()
    sys.stderr.write(f"seed {asked.seed}\n")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        killer = Killer(random.Random(asked.seed), Path(name) / "said")
        with suppress(KeyboardInterrupt):
            kill_pulls(Path(name), asked.kills, killer)
    tally = killer.tally
    told = {"kills": tally.kills, "by": tally.by, "jobs": tally.jobs(), "steps": tally.steps()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stderr.write(f"{time.monotonic() - began:.0f} s: nothing lost, nothing twice\n")


if __name__ == "__main__":
    main()
