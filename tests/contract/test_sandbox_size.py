"""Three million records cost the memory of ten thousand, whichever way they are walked, and the same start."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.provider.entropy import Entropy
from pipeline.provider.world import World, WorldConfig
from tests.journey.warm import ROOT

FEW, MANY = 10_000, 3_000_000
Ask = Callable[..., list[dict[str, Any]]]


def walked(ask: Ask, side: str, order: str, **first: str) -> None:
    """Three pages, and there are as many records as were asked for."""
    page = ask(order=order, **first)
    for _ in range(2):
        assert len(page) == 1000
        page = ask(order=order, **{side: page[-1 if side == "after" else 0]["dr_sid"]})


def walk_every_way(ask: Ask, count: int) -> None:
    """Forward, from a date, backwards, by ``before``, by deep offsets, in the order of insertion."""
    walked(ask, "after", "date_stop asc")
    walked(ask, "after", "date_stop asc", filter="date_stop ge 2026-03-15")
    walked(ask, "after", "date_stop desc")
    last = ask(order="date_stop desc", limit=1)[0]["dr_sid"]
    walked(ask, "before", "date_stop asc", before=last)
    for order in ("date_stop asc", "date_stop desc"):
        assert len(ask(order=order, offset=count - 1000)) == 1000
    assert len(ask(order="date_insert asc", filter="date_insert ge 2026-03-20T00:00:00Z")) == 1000


def peak(count: int) -> int:
    """The most memory that a sandbox of so many calls ever had, in kB, after all that."""
    program = [sys.executable, "-m", "pipeline.provider", "--port", "0", "--messages", "10"]
    flags = ["--calls", str(count), "--faults", "insert_order=1,late_inserts=0.001"]
    with (
        subprocess.Popen([*program, *flags], stdout=subprocess.PIPE, cwd=ROOT, text=True) as sandbox,
        httpx.Client(headers={"Authorization": "Bearer sandbox-token"}, timeout=60, trust_env=False) as http,
    ):
        assert sandbox.stdout is not None
        url = json.loads(sandbox.stdout.readline())["url"] + "/calls/call_drs"

        def ask(**query: Any) -> list[dict[str, Any]]:
            return http.get(url, params={"limit": 1000} | query).raise_for_status().json()["items"]

        try:
            walk_every_way(ask, count)
            status = Path(f"/proc/{sandbox.pid}/status").read_text()
        finally:
            sandbox.terminate()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell of peaks of memory"
)
def test_memory_does_not_grow_with_the_number_of_records() -> None:
    few, many = peak(FEW), peak(MANY)

    assert many < few * 1.1, f"{few} kB for {FEW} records, {many} kB for {MANY}"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was drawn by chance: all that a record costs is drawn."""
    draws: list[str] = []
    draw = Entropy.draw

    def counted(self: Entropy, what: str, index: int, size: int = 64) -> bytes:
        draws.append(what)
        return draw(self, what, index, size)

    monkeypatch.setattr(Entropy, "draw", counted)
    return draws


def test_the_start_does_not_grow_with_the_number_of_records(drawn: list[str]) -> None:
    costs = []
    for count in (FEW, FEW, MANY):  # the first one makes the rates, which all worlds share
        drawn.clear()
        World(WorldConfig(calls=count, messages=count))
        costs.append(len(drawn))

    assert costs[1] == costs[2]
