"""Shared by all tests: an environment without settings of the machine, and a billed month to try things on."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.provider.server import start_background
from tests.journey.house import MARCH, TOKEN, House, Provider, copy_of, make_house
from tests.journey.warm import Warm

for _name in [n for n in os.environ if n.startswith(("TOLLBOOK_", "DAGSTER_"))]:
    del os.environ[_name]


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a worker often waits for the disk, or for a process that it has started."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Runs ``tollbook`` in processes that start at once."""
    with Warm(tmp_path_factory.mktemp("commands")) as process:
        yield process


@pytest.fixture(scope="session")
def march_provider() -> Iterator[Provider]:
    """The provider of the billed month. Its clock and faults stay as they are: it is shared."""
    with start_background(MARCH, TOKEN) as background:
        yield Provider(background)


@pytest.fixture(scope="session")
def march(tmp_path_factory: pytest.TempPathFactory, warm: Warm, march_provider: Provider) -> House:
    """A month, pulled, rated, invoiced and mailed once for all tests. Only to be read."""
    worker = tmp_path_factory.getbasetemp()
    shared = worker.parent if "PYTEST_XDIST_WORKER" in os.environ else worker
    ready = shared / "march"
    with (shared / "march.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            made = make_house(shared / "march in the making", warm, march_provider.url)
            done = made.run()
            assert done.code == 0, done.said
            made.home.rename(ready)
    return House(ready, warm, {"TOLLBOOK_API_URL": march_provider.url})


@pytest.fixture
def house(march: House, march_provider: Provider, tmp_path: Path) -> House:
    """A copy of the billed month that a test may do anything to."""
    return copy_of(march, tmp_path / "home", march_provider.url)
