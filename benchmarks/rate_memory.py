"""What rating holds at most, by the number of days: the part of ``rate.py`` behind ``--memory``.

A run notes its pace and its peak at every ten million calls, so that one long run shows by itself whether time grows
in step with the calls and memory not at all.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

PER_DAY, LEG = 1_000_000, 10_000_000
HOLDING = ("narrow", "wide", "home")
# Gives arguments to ``rate.py`` in a process of its own, and what that found.
Child = Callable[..., dict[str, Any]]


@dataclass(slots=True)
class Pace:
    """What every ten million calls took, and what was held at most until then."""

    legs: list[dict[str, float]] = field(default_factory=list)
    done: int = 0
    _began: tuple[float, float, int] = (0, 0, 0)
    _adding: Lock = field(default_factory=Lock)

    def start(self) -> None:
        self._began = (time.monotonic(), time.process_time(), self.done)

    def add(self, calls: int) -> None:
        with self._adding:
            self.done += calls
            if self.done // LEG == len(self.legs):
                return
            wall, cpu, before = self._began
            self.start()
            rate = (self.done - before) / (self._began[0] - wall)
            each = (self._began[1] - cpu) / (self.done - before) * 1e6
            self.legs.append({"rate": rate, "cpu": each, "mb": peak()})


def peak() -> float:
    """The most megabytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(child: Child, sizes: Sequence[int], tasks: Sequence[str], deck: Sequence[int], month: int) -> None:
    """Prints the peak of each task for each number of days, and how it went on the way."""
    print(f"  peak MB at {PER_DAY:,} calls a day\n\n  calls       " + "".join(f"{task:>9}" for task in tasks))
    for days in sizes:
        with tempfile.TemporaryDirectory() as made:
            home, calls = Path(made) / "home", days * PER_DAY
            child("make", home, calls, *deck, days)
            found = {task: child("run", task, home) for task in tasks if task != "home" or days <= month}
        peaks = (f"{found[task]['mb']:>9.0f}" if task in found else f"{'-':>9}" for task in tasks)
        print(f"  {calls:>11,} " + "".join(peaks), flush=True)
        for task, got in found.items():
            for n, leg in enumerate(got["legs"], start=1):
                pace = f"{leg['rate']:>9,.0f} calls/s, {leg['cpu']:>5.2f} us of CPU each"
                print(f"      {task:7} to {n * LEG:>11,}: {pace}, {leg['mb']:>4.0f} MB at most", flush=True)
