"""What follows what: records that landed are rated, and after the daily landing what is due is billed.

A plain sensor over the state of the home, not over the success of runs: a landing in which one list was forbidden
has still landed records, and a pull by hand counts as much as a scheduled one. It keeps no cursor; a run is named
after what it is for, and the same thing is not asked for twice. Add here what reacts to a state, in ``schedules``
what reacts to the clock. See https://docs.dagster.io/guides/automate/sensors.
"""

import hashlib
from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from pipeline.defs import partitions
from pipeline.defs.jobs import bill, land, rate
from pipeline.defs.resources import DeskResource
from pipeline.defs.schedules import daily
from pipeline.desk import Desk
from pipeline.errors import TollbookError

_FEEDS = (dg.AssetKey(["land", "calls"]), dg.AssetKey(["land", "messages"]))
_SCHEDULE_TAG = "dagster/schedule_name"


@dg.sensor(
    name="advance",
    jobs=[rate, bill],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rates the days that something touched; bills after the daily landing.",
)
def advance(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The next run, or why there is none."""
    if context.instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES), limit=1):
        yield dg.SkipReason("a run is under way; what follows is decided when it has ended")
        return
    try:
        desk = DeskResource().open()
        yield next_run(desk, context.instance)
        desk.ledger.close()
    except TollbookError as error:
        yield dg.SkipReason(str(error))


def next_run(desk: Desk, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """Rating before billing; billing once after each daily landing that brought both kinds of records."""
    if desk.root_sid is None:
        return dg.SkipReason("nothing has been pulled yet")
    days = desk.due_days()
    if days:
        name = hashlib.sha256(repr(days).encode()).hexdigest()[:16]
        return dg.RunRequest(job_name=rate.name, run_key=f"rate-{name}", tags=partitions.range_tags(days))
    landed = _daily_landing(instance)
    if landed is None:
        return dg.SkipReason("everything is rated; billing follows the daily landing")
    month = partitions.closing_month(desk.now, desk.settings.lookback)
    return dg.RunRequest(job_name=bill.name, run_key=f"bill-{landed}", partition_key=month)


def _daily_landing(instance: dg.DagsterInstance) -> str | None:
    """The last daily landing, if calls and messages have been landed since it began."""
    wanted = dg.RunsFilter(job_name=land.name, tags={_SCHEDULE_TAG: daily.name})
    records = instance.get_run_records(wanted, limit=1)
    if not records or records[0].start_time is None:
        return None
    events = [instance.get_latest_materialization_event(key) for key in _FEEDS]
    fresh = all(e is not None and e.timestamp >= records[0].start_time for e in events)
    return records[0].dagster_run.run_id if fresh else None


ALL = [advance]
