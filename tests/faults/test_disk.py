"""A disk that fills up, takes nothing more or fails: a clear error, nothing lost, and well again once there is room."""

import json
import subprocess
import sys

import pytest

from tests.faults.disk import ERRORS, SITES
from tests.journey.warm import ROOT

OWN_DISK = ["unshare", "--mount", "--map-root-user"]


def said(mode: str, *before: str) -> list[str]:
    """What the runs said that did not come through; in the end the home held what the provider lists."""
    program = [*before, sys.executable, "-m", "tests.faults.disk", mode]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["runs"]


def may_mount() -> bool:
    """Whether this system lets us have a disk of our own."""
    probe = [*OWN_DISK, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


own_disk = pytest.mark.skipif(
    not may_mount(), reason="no disk of our own here: `unshare --mount --map-root-user` is not allowed"
)


@own_disk
def test_a_disk_that_is_a_little_larger_each_time() -> None:
    runs = said("full", *OWN_DISK)

    assert len(runs) > 4
    assert [text for text in runs if "make room" not in text.lower()] == []
    # It was full in the ledger, in the data files and in the catalog of views.
    found = {
        word
        for text in runs
        for word in ("ledger.db", "Nothing was committed", "tollbook.duckdb")
        if word in text
    }
    assert len(found) == 3


@own_disk
def test_a_disk_that_takes_nothing_more() -> None:
    [text] = said("read-only", *OWN_DISK)

    assert "Read-only file system" in text
    assert "TOLLBOOK_HOME" in text


def test_every_call_that_writes_fails_once() -> None:
    runs = said("failing")

    assert {text.split()[0] for text in runs} >= set(SITES) - {"os:link", "os:rename"}
    assert [text for text in runs if "permission" not in text.lower()] == []
    assert len(ERRORS) == 4
