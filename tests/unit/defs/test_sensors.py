"""What follows what: rating what was touched, then billing once after each daily landing."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipeline.defs import sensors
from pipeline.defs.sensors import next_run

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
FEEDS = ("calls", "messages")


@dataclass
class StubDesk:
    """A desk on which these days are out of date."""

    days: dict[date, str]
    root_sid: str | None = "us"
    now: datetime = NOW
    settings: Any = field(default_factory=lambda: SimpleNamespace(lookback=timedelta(hours=25)))

    def due_days(self) -> dict[date, str]:
        return self.days


def landing(instance: dg.DagsterInstance, *tables: str, schedule: str = "daily") -> str:
    """A run of the job land, started by a schedule, that landed these tables; returns its run id."""

    @dg.op
    def pull(context: dg.OpExecutionContext) -> None:
        for table in tables:
            context.log_event(dg.AssetMaterialization(["land", table]))

    @dg.job(name="land")
    def land() -> None:
        pull()

    return land.execute_in_process(instance=instance, tags={"dagster/schedule_name": schedule}).run_id


def test_days_that_are_out_of_date_are_rated_in_one_run(instance: dg.DagsterInstance) -> None:
    request = next_run(StubDesk({date(2026, 3, 2): "x", date(2026, 3, 9): "y"}), instance)

    assert (request.job_name, request.tags["dagster/asset_partition_range_start"]) == ("rate", "2026-03-02")


def test_the_same_days_are_not_asked_for_twice_until_something_changes(instance: dg.DagsterInstance) -> None:
    first, again, changed = (next_run(StubDesk({date(2026, 3, 2): inputs}), instance) for inputs in "aab")

    assert (first.run_key == again.run_key, first.run_key == changed.run_key) == (True, False)


def test_rating_comes_before_billing(instance: dg.DagsterInstance) -> None:
    landing(instance, *FEEDS)

    assert next_run(StubDesk({date(2026, 3, 2): "x"}), instance).job_name == "rate"


def test_billing_follows_the_daily_landing_once(instance: dg.DagsterInstance) -> None:
    run_id = landing(instance, *FEEDS)

    request = next_run(StubDesk({}), instance)

    assert (request.job_name, request.partition_key, request.run_key) == (
        "bill",
        "2026-04-01",
        f"bill-{run_id}",
    )


@pytest.mark.parametrize(
    ("tables", "schedule"),
    [(FEEDS, "hourly"), (("calls",), "daily"), ((), "daily")],
    ids=["hourly", "messages failed", "both failed"],
)
def test_nothing_is_billed_before_a_daily_landing_brought_all_records(
    tables: tuple[str, ...], schedule: str, instance: dg.DagsterInstance
) -> None:
    landing(instance, *tables, schedule=schedule)

    assert isinstance(next_run(StubDesk({}), instance), dg.SkipReason)


def test_records_of_before_the_landing_do_not_count(instance: dg.DagsterInstance) -> None:
    for table in FEEDS:
        instance.report_runless_asset_event(dg.AssetMaterialization(["land", table]))
    time.sleep(0.01)
    landing(instance)

    assert isinstance(next_run(StubDesk({}), instance), dg.SkipReason)


def test_an_hourly_poll_that_brings_what_was_missing_lets_billing_go_on(instance: dg.DagsterInstance) -> None:
    landing(instance, "calls")
    landing(instance, *FEEDS, schedule="hourly")

    assert next_run(StubDesk({}), instance).job_name == "bill"


def test_a_home_that_has_pulled_nothing_waits(instance: dg.DagsterInstance) -> None:
    assert isinstance(next_run(StubDesk({}, root_sid=None), instance), dg.SkipReason)


def test_without_a_home_the_sensor_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("TOLLBOOK_HOME", str(tmp_path / "nowhere"))

    (said,) = sensors.advance(dg.build_sensor_context(instance=instance))

    assert "tollbook init" in said.skip_message


def test_while_a_run_is_under_way_nothing_is_asked_for(instance: dg.DagsterInstance, home: Path) -> None:
    @dg.job
    def land() -> None:
        pass

    instance.create_run_for_job(land, status=dg.DagsterRunStatus.STARTED)

    (said,) = sensors.advance(dg.build_sensor_context(instance=instance))

    assert "under way" in said.skip_message
