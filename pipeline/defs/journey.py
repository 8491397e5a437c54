"""The whole journey in this process: the very jobs that the schedule runs, one after the other.

This is what ``tollbook run`` presses. The runs are filed in the home's own Dagster folder, so that its pages show
them like any other. Add no step here that is not an asset of a job or a sensor: what the command line can do, the
schedule does. See https://docs.dagster.io/api/dagster/execution.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pipeline.defs import alerts, partitions, prepaid
from pipeline.defs.assets.measure import ROLLED
from pipeline.defs.build import build_definitions
from pipeline.defs.checks import broken_promise
from pipeline.defs.instance import instance_of
from pipeline.defs.resources import Shift
from pipeline.defs.stops import Stopped, noticed
from pipeline.desk import Desk
from pipeline.errors import TollbookError

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_FEEDS = ("land/calls", "land/messages")
_INVOICE = ["invoice", "invoices"]


@dataclass(frozen=True, slots=True)
class JourneyResult:
    """What each step reported, what failed and what was not done.

    ``reports`` are the stages' own, by asset key; ``broken`` the rows that break a promise, by the check's name;
    ``seconds`` the wall time of each step. A failed step stops what hangs on it, and nothing else.
    """

    reports: dict[str, object]
    failures: dict[str, Exception]
    broken: dict[str, list[dict[str, Any]]]
    seconds: dict[str, float]
    skipped: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return not self.failures and not self.broken

    def problems(self) -> list[str]:
        """One line per failure and the steps that had it, and per broken promise."""
        steps: dict[str, list[str]] = {}
        for step, error in self.failures.items():
            steps.setdefault(str(error), []).append(step)
        failed = [f"{', '.join(names)}: {text}" for text, names in steps.items()]
        return failed + [broken_promise(name, rows) for name, rows in self.broken.items()]

    def notices(self) -> list[str]:
        """What the stages say needs a look, though nothing failed."""
        found = ((step, getattr(report, "problems", ())) for step, report in self.reports.items())
        return [f"{step}: {text}" for step, texts in found for text in texts]

    def check(self) -> None:
        """Raises what went wrong; the caller has shown what went right.

        Raises:
            TollbookError: the error of the step that failed, or all of them in one.
        """
        if self.succeeded:
            return
        only = next(iter(self.failures.values())) if len(self.failures) == 1 and not self.broken else None
        if isinstance(only, TollbookError):
            raise only
        raise TollbookError("\n".join(self.problems())) from only


@dataclass(slots=True)
class _Journey:
    desk: Desk
    instance: dg.DagsterInstance
    stopped: Stopped
    shift: Shift = field(init=False)
    definitions: dg.Definitions = field(init=False)

    def __post_init__(self) -> None:
        self.shift = Shift(self.desk, patient=False, stopped=self.stopped)
        self.definitions = build_definitions(self.shift)

    def run(
        self,
        job: str,
        *,
        tags: dict[str, str] | None = None,
        partition: str | None = None,
        assets: Sequence[dg.AssetKey] | None = None,
    ) -> None:
        """Runs a job to its end; a failure is kept, and what does not hang on it goes on.

        Raises:
            KeyboardInterrupt: a person said stop.
        """
        result = self.definitions.resolve_job_def(job).execute_in_process(
            run_config=_QUIET,
            instance=self.instance,
            partition_key=partition,
            tags=tags,
            asset_selection=assets,
            raise_on_error=False,
        )
        if self.stopped():
            raise KeyboardInterrupt
        if not result.success and not self.shift.failures and not self.shift.broken:
            self.shift.failures[job] = TollbookError(f"{_why(result)} The run is {result.run_id}.")

    def rate(self) -> bool:
        """Rates what is out of date, if anything is."""
        try:
            days = self.desk.due_days()
        except TollbookError as error:
            self.shift.failures["rate"] = error
            return False
        if days:
            self.run("rate", tags=partitions.range_tags(days))
        return bool(days)

    def bill(self) -> None:
        """Bills, or where records are missing only finishes what was billed before."""
        desk = self.desk
        month = partitions.closing_month(desk.now, desk.settings.lookback)
        if self.shift.failures.keys() & {*_FEEDS, "rate", "rate/calls"}:
            keys = (["render", "documents"], ["deliver", "emails"], ["measure", "statement"])
            self.run("bill", assets=[*map(dg.AssetKey, keys), *ROLLED])
        else:
            self.run("bill", partition=month)

    def tell_low_credit(self) -> None:
        """Tells a person whose prepaid credit has run out since somebody was told last."""
        try:
            self.shift.reports["measure/prepaid"] = prepaid.tell_low_credit(self.desk)
        except TollbookError as error:
            self.shift.failures["measure/prepaid"] = error


def run_journey(desk: Desk, *, bill: bool = True) -> JourneyResult:
    """Lands everything, rates what changed, bills what is due, sends what is issued, publishes.

    The desk's ``now`` dates all of it, and its ``progress`` is told what happens. Steps that fail are told to the
    person of the settings and are in the result, see ``JourneyResult.check``.

    Raises:
        BusyError: another run holds the home.
        KeyboardInterrupt: a person said stop; what was committed stays, and nothing more is begun.
    """
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    skipped = []
    with desk.locked(), noticed() as stopped, instance_of(desk.settings) as instance:
        journey = _Journey(desk, instance, stopped)
        journey.run("land")
        if desk.root_sid is None:
            skipped += ["rate", "bill"]
        else:
            if not journey.rate():
                skipped.append("rate")
            if bill:
                journey.bill()
                journey.tell_low_credit()
        desk.publish()
    shift = journey.shift
    result = JourneyResult(shift.reports, shift.failures, shift.broken, shift.seconds, tuple(skipped))
    if not result.succeeded:
        alerts.tell(desk.settings, "the journey did not end well", "\n".join(result.problems()), desk.now)
    return result


def _why(result: dg.ExecuteInProcessResult) -> str:
    events = [e for e in result.all_events if e.is_failure and e.message]
    return (events[0].message if events else None) or "The run failed."
