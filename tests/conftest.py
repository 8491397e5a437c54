"""Shared by all tests: an environment without settings of the machine, and a sandbox provider to talk to."""

import os
from collections.abc import Iterator

import pytest

for _name in [n for n in os.environ if n.startswith("TOLLBOOK_")]:
    del os.environ[_name]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[object]:
    """A small sandbox provider in a process of its own, shared by the tests of one worker."""
    from pipeline.provider.faults import Faults
    from pipeline.provider.server import start_background
    from pipeline.provider.world import WorldConfig

    config = WorldConfig(
        seed=7,
        calls=3_000,
        messages=600,
        faults=Faults.parse("late_inserts=0.01,wrong_charges=3,missing_answer=2"),
    )
    with start_background(config, "sandbox-token") as handle:
        yield handle
