"""Kills workers at random instants and says in which step of their work each was hit.

``Killer`` forks a worker from the process it lives in, which has imported everything, started no thread and opened
nothing: so a worker is a whole process that starts in a millisecond. It ends by a signal, in one of two ways: ``after``
so many seconds, wherever it then is, or ``at`` the nth time it enters or leaves a step, which finds the short steps
(a rename, a commit) as often as the long ones. The steps are known by ``SEAMS``, functions that the worker sees
wrapped; a page of memory that both share holds what it is doing and how often it did so.
"""

import functools
import importlib
import mmap
import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Work = Callable[[], None]
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
# The step of each function; a step within a step counts as the inner one. What is in none of them is "between".
SEAMS: Mapping[str, tuple[str, ...]] = {
    "fetch": ("pipeline.pull.client:Client.get_page",),
    "decode": ("pipeline.land.records:Batch.add",),
    "stage": ("pipeline.lake.lake:Lake.stage", "pipeline.lake.lake:Lake.stage_pieces"),
    "fsync": ("os:fsync",),
    "rename": ("os:replace", "os:rename", "os:link"),
    "commit": ("sqlalchemy:Connection.commit",),
    "tidy": ("pipeline.lake.lake:Lake.sweep",),
    "publish": ("pipeline.lake.lake:Lake.publish",),
}
STEPS = ("between", *SEAMS)


@dataclass(frozen=True, slots=True)
class Blow:
    """How a worker is to end: by ``signal``, ``after`` seconds or ``at`` (step, nth time, on leaving it)."""

    signal: signal.Signals
    after: float | None = None
    at: tuple[int, int, bool] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: the exit code, negative where a signal did it; the step it was in; how often it was in each."""

    code: int
    step: str
    seen: tuple[int, ...]
    seconds: float
    said: str


@dataclass(slots=True)
class Tally:
    """What the kills hit: ``hit`` counts (job, step), ``by`` the signals. ``rounds`` are jobs that came through."""

    kills: int = 0
    rounds: int = 0
    hit: Counter[tuple[str, str]] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)

    def steps(self) -> dict[str, int]:
        """Kills by step."""
        return {step: sum(n for (_, at), n in self.hit.items() if at == step) for step in STEPS}

    def jobs(self) -> dict[str, int]:
        """Kills by job."""
        return {job: sum(n for (of, _), n in self.hit.items() if of == job) for job, _ in self.hit}


class Killer:
    """Runs jobs that are killed until they come through; ``chance`` decides when, and a seed repeats its choices."""

    def __init__(self, chance: random.Random, said: Path) -> None:
        self.tally = Tally()
        self._chance, self._said = chance, said
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._cells = memoryview(self._shared).cast("I")
        self._longest: dict[str, float] = {}
        self._most: dict[str, tuple[int, ...]] = {}

    def run(self, job: str, work: Work, most: int) -> None:
        """Kills a job, at most so many times, until it comes through.

        A job is never killed when it comes for the first time: that tells how long it takes, and how often it is in
        each step.
        """
        known = job in self._longest
        for _ in range(most if known else 0):
            if self._killed(job, work):
                return
        ended = self._run(work, None)
        assert ended.code == 0, ended.said
        self.tally.rounds += 1
        if not known:
            self._longest[job], self._most[job] = ended.seconds, ended.seen

    def _killed(self, job: str, work: Work) -> bool:
        """Runs a job that is to be killed; whether it came through all the same."""
        blow = self._blow(job)
        ended = self._run(work, blow)
        if ended.code == 0:
            self.tally.rounds += 1
            return True
        assert ended.code == -blow.signal, ended.said
        self.tally.kills += 1
        self.tally.hit[job, ended.step] += 1
        self.tally.by[blow.signal.name] += 1
        return False

    def _blow(self, job: str) -> Blow:
        """Rather early than late: a job that goes on where it was has less and less before it. What is aimed goes where
        the fewest have struck so far, or a step that is rare and short would be left to luck."""
        by, soon = self._chance.choice(SIGNALS), self._chance.random() ** 2
        entered = [n for n, times in enumerate(self._most[job]) if times]
        if self._chance.random() < 0.5:
            return Blow(by, after=soon * self._longest[job])
        struck = self.tally.steps()
        step = min(entered, key=lambda n: (struck[STEPS[n]], self._chance.random()))
        nth = 1 + int(soon * self._most[job][step])
        return Blow(by, at=(step, nth, self._chance.random() < 0.5))

    def _run(self, work: Work, blow: Blow | None) -> Ended:
        self._cells[0 : len(STEPS) + 1] = memoryview(bytes(4 * (len(STEPS) + 1))).cast("I")
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            self._worker(work, blow)
        code = _wait(pid, blow, started)
        seen = tuple(self._cells[1 : len(STEPS) + 1])
        said = self._said.read_text() if code > 0 else ""
        return Ended(code, STEPS[self._cells[0]], seen, time.monotonic() - started, said)

    def _worker(self, work: Work, blow: Blow | None) -> None:
        code = 70
        try:
            for step, names in SEAMS.items():
                for name in names:
                    self._watch(name, STEPS.index(step), blow)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - a forked worker must say why it ends, whatever it is
            self._said.write_text(traceback.format_exc())
        finally:
            os._exit(code)

    def _watch(self, name: str, step: int, blow: Blow | None) -> None:
        module, _, path = name.partition(":")
        *inner, last = path.split(".")
        owner = functools.reduce(getattr, inner, importlib.import_module(module))
        setattr(owner, last, self._watched(getattr(owner, last), step, blow))

    def _watched(self, function: Callable, step: int, blow: Blow | None) -> Callable:
        cells = self._cells
        place = blow.at if blow else None

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            outer, cells[0] = cells[0], step
            cells[1 + step] += 1
            nth = cells[1 + step]
            if blow and place == (step, nth, False):
                os.kill(os.getpid(), blow.signal)
            result = function(*args, **kwargs)
            if blow and place == (step, nth, True):
                os.kill(os.getpid(), blow.signal)
            cells[0] = outer
            return result

        return watched


def _wait(pid: int, blow: Blow | None, started: float) -> int:
    """Waits for the end of a worker, and brings it about where the blow falls by the clock; returns its exit code."""
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if blow and blow.after is not None and time.monotonic() - started > blow.after:
            os.kill(pid, blow.signal)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        time.sleep(0.002)
