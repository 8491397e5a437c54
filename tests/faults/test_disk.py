"""A disk that fills up, takes nothing more or fails: a clear error, nothing lost, and well again once there is room."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def may_break_a_disk(tmp_path: Path) -> bool:
    """Whether we may mount a file as a disk, and tell the kernel that it is broken."""
    image, features = tmp_path / "image", Path("/sys/fs/ext4/features")
    if os.geteuid() or not features.exists() or not shutil.which("mkfs.ext4"):
        return False
    with image.open("wb") as file:
        file.truncate(1 << 21)
    steps = (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, tmp_path], ["umount", tmp_path])
    return all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps)


def test_a_disk_that_breaks_in_the_middle_of_a_pull(tmp_path: Path) -> None:
    if not may_break_a_disk(tmp_path):
        pytest.skip("no disk to break here: that needs root, a loop device and ext4")
    runs = said("broken", "unshare", "--mount")

    assert "Read-only file system. Nothing was committed" in runs[0]
    assert [text for text in runs if "run again" not in text] == []


def test_every_call_that_writes_fails_once() -> None:
    runs = said("failing")

    assert {text.split()[0] for text in runs} >= set(SITES) - {"os:link", "os:rename"}
    assert [text for text in runs if "permission" not in text.lower()] == []
    assert len(ERRORS) == 4
