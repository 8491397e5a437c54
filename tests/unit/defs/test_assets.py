"""Each asset: one call on the desk, and what it did as metadata."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipeline.defs.build import build_definitions
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.desk.dimensions import DIMENSIONS, DimensionLanded
from pipeline.domain.cursor import Bookmark
from pipeline.errors import ForbiddenError
from pipeline.land.rates import PlanLanded
from pipeline.land.records import Landed
from pipeline.land.snapshots import SnapshotLanded
from pipeline.measure.rollups import RollupReport
from pipeline.rate.report import RateReport, Tally

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
DAY = date(2026, 3, 1)


@dataclass
class Letters:
    """The report of a stage that sends."""

    sent: int = 2
    total: Decimal = Decimal("1.50")
    problems: tuple[str, ...] = ("INV-2026-000001: nobody to send it to",)
    no_server: str = ""


@dataclass
class StubDesk:
    """A desk whose buttons answer at once; ``pressed`` is what was asked of it."""

    real: Desk
    forbidden: str = ""
    missing: str = ""
    warning: str = ""
    pressed: list[str] = field(default_factory=list)
    rolled_up: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def pull_feed(self, feed: Any) -> Landed:
        self.pressed.append(feed.resource)
        counts = {"fetched": 5, "fresh": 2, "superseding": 1, "identical": 2, "late": 1}
        return Landed(**counts, days={DAY}, slowest=timedelta(hours=21), warning=self.warning)

    def bookmark(self, feed: Any) -> Bookmark:
        return Bookmark(newest_value=NOW)

    def pull_snapshot(self, resource: str) -> SnapshotLanded:
        self.pressed.append(resource)
        if resource == self.forbidden:
            raise ForbiddenError("ask for phonenumber.read")
        return SnapshotLanded(rows=7, new=1, gone=0, quarantined=0)

    def pull_dimension(self, resource: str) -> DimensionLanded:
        if resource == self.forbidden:
            raise ForbiddenError("ask for batch.read")
        landed = None if resource == self.missing else SnapshotLanded(rows=4, new=4, gone=0, quarantined=0)
        return DimensionLanded(resource, landed, "" if landed else "the account has none")

    def pull_rates(self) -> list[PlanLanded]:
        return [
            PlanLanded("call-outbound-pstn", "v1", 110, True),
            PlanLanded("call-inbound-pstn", "v1", 9, False),
        ]

    def rate(self, days: list[date]) -> RateReport:
        self.pressed.append(f"{days[0]}..{days[-1]}")
        tally = Tally("call", "charge", 1, "rated", None, "USD", 4, Decimal(240), Decimal("0.1234567890"))
        return RateReport(written=2, unchanged=29, tallies=[tally])

    def roll_up(self, tables: set[str]) -> RollupReport:
        self.rolled_up |= tables
        return RollupReport()

    def render(self) -> Letters:
        return Letters()

    def deliver(self) -> Letters:
        return Letters()

    def statement(self) -> Any:
        return SimpleNamespace(lines=(), differences=())


@pytest.fixture
def stub(desk: Desk) -> StubDesk:
    return StubDesk(desk)


Shown = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def shown(stub: StubDesk, instance: dg.DagsterInstance) -> Shown:
    """The metadata of each asset that a run of the job materialises, as plain values."""

    def run(job: str, *assets: str, **how: Any) -> dict[str, dict[str, Any]]:
        definition = build_definitions(Shift(stub, patient=False)).resolve_job_def(job)
        keys = [dg.AssetKey(a.split("/")) for a in assets] or None
        result = definition.execute_in_process(
            instance=instance, asset_selection=keys, raise_on_error=False, **how
        )
        events = result.get_asset_materialization_events()
        return {
            e.asset_key.to_user_string(): {k: v.value for k, v in e.materialization.metadata.items()}
            for e in events
        }

    return run


def test_a_feed_shows_what_came_and_a_picture_of_it(shown: Shown) -> None:
    made = shown("land", "land/calls")["land/calls"]

    assert {k: v for k, v in made.items() if k != "records per hour"} == {
        "dagster/row_count": 0, "fetched": 5, "new": 2, "superseding": 1, "identical": 2, "quarantined": 0,
        "longest lag": "21:00:00", "inserted late": 1, "days": 1, "bookmark": "2026-04-03 06:00:00 UTC",
    }  # fmt: skip
    assert made["records per hour"].startswith("![calls per hour")


def test_a_feed_shows_what_it_warns_of(shown: Shown, stub: StubDesk) -> None:
    stub.warning = "calls: raise TOLLBOOK_LOOKBACK_HOURS"

    assert shown("poll", "land/calls")["land/calls"]["warning"] == "calls: raise TOLLBOOK_LOOKBACK_HOURS"


def test_a_list_shows_its_changes(shown: Shown) -> None:
    assert shown("land", "land/dids") == {
        "land/dids": {"dagster/row_count": 7, "new": 1, "gone": 0, "quarantined": 0}
    }


def test_rate_plans_show_their_versions(shown: Shown) -> None:
    made = shown("land", "land/rates")["land/rates"]

    assert (made["dagster/row_count"], made["plans"], made["new versions"]) == (119, 2, 1)


def test_one_forbidden_list_fails_alone(shown: Shown, stub: StubDesk) -> None:
    stub.forbidden = "dids"

    made = shown("land")

    assert {key.split("/")[1] for key in made} == {
        "calls", "messages", "partners", "endpoints", "countries", "provider_invoices", "rates",
    }  # fmt: skip


def test_what_surrounds_the_records_is_a_job_of_its_own(shown: Shown, stub: StubDesk) -> None:
    stub.forbidden, stub.missing = "batch_tasks", "mediator_dids"

    made = shown("around")

    assert set(made) == {f"land/{name}" for name in DIMENSIONS if name != "batch_tasks"}
    assert made["land/trunks"] == {"dagster/row_count": 4, "new": 4, "gone": 0, "quarantined": 0}
    assert made["land/mediator_dids"] == {"dagster/row_count": 0, "not taken": "the account has none"}


def test_one_that_may_not_be_read_fails_alone_and_names_its_scope(
    stub: StubDesk, instance: dg.DagsterInstance
) -> None:
    stub.forbidden = "batch_tasks"
    job = build_definitions(Shift(stub, patient=False)).resolve_job_def("around")

    result = job.execute_in_process(instance=instance, raise_on_error=False)

    failed = [e for e in result.all_events if e.is_step_failure]
    assert [e.step_key for e in failed] == ["land__batch_tasks"]
    assert failed[0].step_failure_data.user_failure_data.description == "ask for batch.read"


def test_a_range_of_days_is_rated_in_one_pass(
    shown: Shown, stub: StubDesk, instance: dg.DagsterInstance
) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-03-01",
        "dagster/asset_partition_range_end": "2026-03-31",
    }

    made = shown("rate", tags=tags)["rate/calls"]

    assert stub.pressed == ["2026-03-01..2026-03-31"]
    assert (made["days written"], made["days unchanged"], made["revenue"]) == (2, 29, "0.12 USD")
    assert len(instance.get_materialized_partitions(dg.AssetKey(["rate", "messages"]))) == 31


def test_one_day_is_rated_by_its_partition(shown: Shown, stub: StubDesk) -> None:
    shown("rate", partition_key="2026-03-05")

    assert stub.pressed == ["2026-03-05..2026-03-05"]


def test_invoices_of_an_empty_month_are_shown_as_none(shown: Shown, stub: StubDesk) -> None:
    stub.real.root_sid = "us"
    object.__setattr__(stub, "invoice", lambda: None)

    made = shown("bill", "invoice/invoices", partition_key="2026-04-01")["invoice/invoices"]

    assert made == {
        "dagster/row_count": 0, "amount": "none", "tax": "none", "waiting for approval": 0, "parked": "none",
    }  # fmt: skip


def test_a_report_is_shown_field_by_field(shown: Shown) -> None:
    made = shown("bill", "render/documents", "deliver/emails")

    assert made["render/documents"] == {
        "sent": 2,
        "total": "1.50",
        "problems": "problems\n---\nINV-2026-000001: nobody to send it to",
    }


def test_a_mail_server_that_takes_nothing_is_a_failure_that_a_person_is_told_of(
    stub: StubDesk, instance: dg.DagsterInstance
) -> None:
    object.__setattr__(stub, "deliver", lambda: Letters(sent=0, no_server="the mail server cannot be used"))
    shift = Shift(stub, patient=False)
    key = dg.AssetKey(["deliver", "emails"])

    build_definitions(shift).resolve_job_def("bill").execute_in_process(
        instance=instance, asset_selection=[key], raise_on_error=False
    )

    assert {step: str(error) for step, error in shift.failures.items()} == {
        "deliver/emails": "the mail server cannot be used"
    }


def test_the_statement_shows_what_differs(shown: Shown) -> None:
    assert shown("bill", "measure/statement")["measure/statement"] == {
        "differences": 0,
        "what differs": "none",
        "statement": "none",
    }


def test_without_traffic_there_is_no_dashboard(shown: Shown) -> None:
    assert shown("bill", "measure/report")["measure/report"] == {"page": "none: there is no traffic yet"}


def test_the_dashboard_says_where_it_is_and_shows_the_month(shown: Shown, stub: StubDesk) -> None:
    days = SimpleNamespace(rows=[{"day": DAY, "answered": 3, "unanswered": 1}])
    money = SimpleNamespace(rows=[{"currency": "USD", "revenue": Decimal("1.50")}])
    answers = {"days": days, "money": money, "forecast": money, "trunks": SimpleNamespace(rows=[])}
    stub.landed_days = lambda: [DAY]
    stub.report = lambda: SimpleNamespace(path="2026-03.html", month="2026-03", answers=answers)

    made = shown("bill", "measure/report")["measure/report"]

    assert made.pop("calls by day").startswith("![Calls by day](data:image/svg+xml;base64,")
    assert made == {
        "page": "2026-03.html",
        "month": "2026-03",
        "money": "currency | revenue\n--- | ---:\nUSD | 1.50",
        "forecast": "currency | revenue\n--- | ---:\nUSD | 1.50",
        "calls at once": "none",
    }


def test_one_roll_up_can_be_made_alone(shown: Shown, stub: StubDesk) -> None:
    assert set(shown("rate", "measure/lag_days")) == {"measure/lag_days"}
    assert stub.rolled_up == {"measure/lag_days"}
