"""A disk that fills up, takes nothing more or fails: a clear error, nothing lost, and well again once there is room.

All kinds of disks are gone through by one process, for it takes longer to begin than to fill a disk.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disk import ERRORS, SITES
from tests.journey.warm import ROOT

# As root, or as somebody who is root among disks of his own; both where the system lets us.
AS_ROOT, OWN_DISKS = ["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]


def may_mount(before: list[str]) -> bool:
    """Whether this system lets us have a disk of our own."""
    probe = [*before, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def may_break_a_disk(folder: Path) -> bool:
    """Whether we may mount a file as a disk, and tell the kernel that it is broken."""
    image, features = folder / "image", Path("/sys/fs/ext4/features")
    if os.geteuid() or not features.exists() or not shutil.which("mkfs.ext4"):
        return False
    with image.open("wb") as file:
        file.truncate(1 << 21)
    steps = (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, folder], ["umount", folder])
    return all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the runs said that did not come through, by disk; in the end each home held what the provider lists."""
    before = next((how for how in (AS_ROOT, OWN_DISKS) if may_mount(how)), [])
    modes = ["full", "read-only"] if before else []
    if before == AS_ROOT and may_break_a_disk(tmp_path_factory.mktemp("disk")):
        modes.append("broken")
    program = [*before, sys.executable, "-m", "tests.faults.disk", *modes, "failing"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def on(disk: str, told: dict[str, list[str]]) -> list[str]:
    if disk not in told:
        pytest.skip(
            f"no disk here that is {disk}: that needs `unshare --mount`, or root, a loop device and ext4"
        )
    return told[disk]


def test_a_disk_that_is_a_little_larger_each_time(told: dict[str, list[str]]) -> None:
    runs = on("full", told)

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


def test_a_disk_that_takes_nothing_more(told: dict[str, list[str]]) -> None:
    [text] = on("read-only", told)

    assert "Read-only file system" in text
    assert "TOLLBOOK_HOME" in text


def test_a_disk_that_breaks_in_the_middle_of_a_pull(told: dict[str, list[str]]) -> None:
    runs = on("broken", told)

    assert "Read-only file system. Nothing was committed" in runs[0]
    assert [text for text in runs if "run again" not in text] == []


def test_every_call_that_writes_fails_once(told: dict[str, list[str]]) -> None:
    runs = told["failing"]

    assert {text.split()[0] for text in runs} >= set(SITES) - {"os:link", "os:rename"}
    assert [text for text in runs if "permission" not in text.lower()] == []
    assert len(ERRORS) == 4
