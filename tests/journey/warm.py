"""Commands in processes of their own that start at once, so that a test can afford to kill many of them.

``Warm`` keeps one process that has imported tollbook and used nothing of it yet. Every command is a fork of it: a
real process with its own memory, threads and files, which a SIGKILL ends like any other; it is only spared the seconds
that importing takes. Requests go as JSON, one a line.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.fixtures.forks import make_ready

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300
# What any command imports on its way, which a fork then need not.
_HEAVY = (
    "polars", "duckdb", "numpy.ma", "pyarrow.parquet", "sqlalchemy.dialects.sqlite", "httpcore", "_strptime",
    "dateutil.relativedelta", "encodings.idna", "encodings.utf_8_sig", "importlib.readers", "typer._adapters",
    "markdown_it", "rich.columns", "rich.panel", "rich.traceback", "upath.implementations.local", "weasyprint",
    "dagster._core.execution.execute_in_process", "dagster._core.executor.in_process",
    "dagster._core.instance.factory", "dagster._core.storage.event_log.sqlite",
    "dagster._core.storage.noop_compute_log_manager", "dagster._core.storage.runs.sqlite",
    "dagster._core.storage.schedules.sqlite", "dagster._core.storage.sqlite_storage",
    "dagster._core.workspace.context", "dagster._daemon.controller",
    "pipeline.cli", "pipeline.cli.summary", "pipeline.defs.journey", "pipeline.deliver.outbox",
    "pipeline.desk.sources", "pipeline.invoice.billing", "pipeline.invoice.payments", "pipeline.lake.care",
    "pipeline.lake.export", "pipeline.land.hints", "pipeline.land.repair", "pipeline.land.retention",
    "pipeline.land.walks", "pipeline.measure.exchange", "pipeline.measure.hints", "pipeline.measure.statement",
    "pipeline.provider.server", "pipeline.pull.oauth", "pipeline.rate.audit", "pipeline.rate.deck.store",
    "pipeline.rate.engine", "pipeline.rate.gate", "pipeline.rate.rater", "pipeline.render.documents",
    "pipeline.render.report",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err


class Running:
    """A command under way."""

    def __init__(self, warm: "Warm", pid: int, out: Path, err: Path) -> None:
        self.pid, self._warm, self._out, self._err = pid, warm, out, err

    def kill(self, *, children: bool = False) -> None:
        """Ends it as a power failure would; ``children`` takes the processes that it has started along."""
        (os.killpg if children else os.kill)(self.pid, signal.SIGKILL)

    def runs(self) -> bool:
        """Whether it is still at work."""
        return bool(self._warm.ask({"runs": self.pid}))

    def has_descendants(self) -> bool:
        """Whether a process that it has started still lives; where the system cannot say, none does."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.pid and state not in "ZX":
                    return True
        return False

    def wait(self) -> Done:
        """How it ended."""
        code = self._warm.ask({"wait": self.pid})
        return Done(code, self._out.read_text(errors="replace"), self._err.read_text(errors="replace"))

    def kill_when(self, reached: Callable[[], bool], *, children: bool = False) -> Done:
        """Kills it as soon as ``reached`` says so, unless it ends before."""
        while self.runs():
            if reached():
                self.kill(children=children)
                break
            time.sleep(0.02)
        return self.wait()


class Warm:
    """The process that others are forked from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journey.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def start(
        self, *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Running:
        """Starts ``tollbook`` with these arguments."""
        return self._start({"tollbook": [str(a) for a in arguments]}, cwd, env)

    def call(self, function: str, *arguments: Any) -> Running:
        """Starts ``module:function`` with these arguments."""
        return self._start({"call": function, "with": arguments}, None, None)

    def tollbook(
        self, *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Done:
        """Runs ``tollbook`` with these arguments to its end."""
        return self.start(*arguments, cwd=cwd, env=env).wait()

    def _start(self, work: dict[str, Any], cwd: Path | None, env: Mapping[str, str] | None) -> Running:
        self._count += 1
        out, err = (self._folder / f"{self._count}.{name}" for name in ("out", "err"))
        for path in (out, err):
            path.touch()  # it may be killed before it opens them
        where = {"out": str(out), "err": str(err), "cwd": str(cwd or self._folder), "env": dict(env or {})}
        return Running(self, self.ask(work | where), out, err)

    def ask(self, request: dict[str, Any]) -> Any:
        """Sends a request and returns its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        ready, _, _ = select.select([stdout], [], [], PATIENCE_SECONDS)
        assert ready, f"no answer to {request} within {PATIENCE_SECONDS} s"
        return json.loads(stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def _serve() -> None:
    """Answers requests until standard input ends."""
    make_ready(_HEAVY)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ended: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer: Any = _end(request["wait"], ended)
        elif "runs" in request:
            answer = _runs(request["runs"], ended)
        else:
            answer = _fork(request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _end(pid: int, ended: dict[int, int]) -> int:
    return ended.pop(pid) if pid in ended else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _runs(pid: int, ended: dict[int, int]) -> bool:
    if pid in ended:
        return False
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        ended[pid] = os.waitstatus_to_exitcode(status)
    return not found


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    # In both, for nobody knows who is first: from now on it has a group of its own, to be killed with its children.
    os.setpgid(pid, pid or os.getpid())
    if pid:
        return pid
    for descriptor, name in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    os._exit(_work(request))


def _work(request: dict[str, Any]) -> int:
    import traceback

    try:
        if "tollbook" in request:
            from pipeline.cli import main

            sys.argv = ["tollbook", *request["tollbook"]]
            main()
        else:
            module, _, name = request["call"].partition(":")
            getattr(importlib.import_module(module), name)(*request["with"])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001  a forked child must say why it ends, whatever it is
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    _serve()
    os._exit(0)  # nothing was used, so nothing has to be put away
