"""``tollbook run`` that is told to stop: it begins nothing more, least of all bills what was landed by half."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from pipeline.homes import make_home
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.journey.house import RATES, TOKEN, House, Provider
from tests.journey.warm import Warm

WORLD = WorldConfig(seed=9, calls=120, messages=30, start=date(2026, 3, 30), days=2, rates=RATES)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """One that takes its time, so that a run can be met while it pulls."""
    with start_background(WORLD, TOKEN) as background:
        provider = Provider(background)
        provider.set_faults("slow=0.7")
        yield provider


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["by the system", "with Ctrl-C"])
def test_a_run_that_is_told_to_stop_begins_no_other_job(
    tmp_path: Path, warm: Warm, provider: Provider, how: signal.Signals
) -> None:
    home = tmp_path / "home"
    make_home(home)
    (home / "tollbook.toml").write_text('since = "2026-03-30"\nbill_from = "2026-03-30"\n')
    house = House(home, warm, {"TOLLBOOK_API_URL": provider.url, "TOLLBOOK_API_TOKEN": TOKEN})
    run = house.start_run()
    while not any(home.glob("files/land/*")):
        assert run.runs(), run.wait().said
        time.sleep(0.02)

    os.kill(run.pid, how)

    done = run.wait()
    assert (done.code, done.err.strip()) == (
        130,
        "stopped; what was committed stays, the next run goes on from there",
    )
    with closing(sqlite3.connect(home / ".dagster" / "history" / "runs.db")) as runs:
        assert runs.execute("select pipeline_name from runs").fetchall() == [("land",)]
