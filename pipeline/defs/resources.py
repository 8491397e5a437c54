"""Opens the home for a run, and takes down what each step of the run reported.

Add here what a run needs from outside. No work of a step here (``pipeline.desk``) and no settings
(``pipeline.settings``): a resource knows where the home is and nothing secret, because Dagster stores and shows its
configuration. See https://docs.dagster.io/guides/build/external-resources.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.defs.stops import Stopped, never
from pipeline.desk import Desk
from pipeline.errors import BusyError, HomeError, TollbookError, TransientError
from pipeline.homes import DEMO_NOW, demo_home
from pipeline.settings import MARKER, find_home, load

# The client has retried each request for minutes already; this is for providers that are down for longer.
RETRIES = 3
RETRY_AFTER_SECONDS = 120


@dataclass(slots=True)
class Shift:
    """One turn of work at the desk: the open home, and what each step reported or why it failed.

    ``broken`` holds the rows that break a promise, by its name (see ``checks``). ``patient`` says that nobody waits at
    a terminal, so a step may be tried again minutes later. ``stopped`` says that a person has said stop.
    """

    desk: Desk
    patient: bool = True
    stopped: Stopped = field(default=never, repr=False)
    reports: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    broken: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def report(self, name: str, made: object, *, news: bool) -> None:
        """Keeps what a step reported; one that did nothing does not hide what it did before in the same turn."""
        if news or name not in self.reports:
            self.reports[name] = made

    @contextmanager
    def step(self, name: str) -> Iterator[Desk]:
        """The desk for one step; our errors become Dagster's, with their remedy and without a traceback.

        Raises:
            dagster.RetryRequested: another try may end better.
            dagster.Failure: it would not.
            KeyboardInterrupt: it is no failure, a person said stop.
        """
        started = time.monotonic()
        try:
            yield self.desk
        except (TransientError, BusyError) as error:
            self.failures[name] = error
            if self.patient:
                raise dg.RetryRequested(RETRIES, RETRY_AFTER_SECONDS) from error
            raise dg.Failure(str(error), allow_retries=False) from None
        except TollbookError as error:
            self.failures[name] = error
            raise dg.Failure(str(error), allow_retries=False) from None
        except Exception as error:
            if self.stopped():
                raise KeyboardInterrupt from error
            self.failures[name] = error
            raise
        finally:
            self.seconds[name] = time.monotonic() - started
        self.failures.pop(name, None)


class DeskResource(dg.ConfigurableResource[Shift]):
    """Opens the home of this process: ``home``, else as the command line finds it, else the demo's in a clone.

    ``now`` is an ISO instant that the whole run is dated by, instead of the clock: the demo's month is long past.
    """

    home: str = ""
    now: str = ""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Shift]:
        """The shift of one run."""
        desk = self.open()
        try:
            yield Shift(desk)
        finally:
            desk.ledger.close()

    def open(self) -> Desk:
        """The desk.

        Raises:
            HomeError: there is no home.
        """
        folder = Path(self.home).expanduser() if self.home else the_home()
        now = self.now or (DEMO_NOW if folder.resolve() == demo_home().resolve() else "")
        return Desk.open(load(folder), now=datetime.fromisoformat(now) if now else datetime.now(UTC))


def the_home() -> Path:
    """The home of this process.

    Raises:
        HomeError: there is none.
    """
    try:
        return find_home()
    except HomeError:
        if (demo_home() / MARKER).is_file():
            return demo_home()
        raise
