"""The journey as Dagster sees it: runs are filed, a refusal stops only what hangs on it, no secret is kept."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipeline.defs.build import build_definitions
from pipeline.defs.checks import PROMISES
from pipeline.defs.instance import instance_of
from pipeline.defs.journey import run_journey
from pipeline.desk import Desk
from pipeline.errors import ForbiddenError
from pipeline.homes import make_home
from pipeline.measure.rollups import ROLLUPS
from pipeline.provider.faults import Faults
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from pipeline.settings import load
from tests.journey.house import AS_OF, RATES, TOKEN, House, Provider

NOW = datetime.fromisoformat(AS_OF)
LANDED = ("calls", "messages", "partners", "dids", "endpoints", "countries", "rates")
TABLES = ("land.calls", "rate.calls", "invoice.claims", "invoice.invoices", "deliver.emails")


@pytest.fixture(autouse=True)
def no_folder_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set and removed, so that what the journey sets is removed again."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")


@pytest.fixture
def desk(house: House, march_provider: Provider) -> Iterator[Desk]:
    """The billed month, on the desk."""
    opened = Desk.open(replace(load(house.home), api_url=march_provider.url), now=NOW)
    yield opened
    opened.ledger.close()


def empty_desk(folder: Path, url: str, token: str = TOKEN) -> Desk:
    """A home without customers that has pulled nothing."""
    make_home(folder)
    (folder / "tollbook.toml").write_text('since = "2026-03-01"\nbill_from = "2026-03-01"\n')
    return Desk.open(replace(load(folder), api_url=url, api_token=token), now=NOW)


def counts(desk: Desk) -> dict[str, int]:
    return {t: desk.lake.query(f"select count(*) as n from {t}")[0]["n"] for t in TABLES}


def runs(desk: Desk) -> list[tuple[str, str]]:
    with instance_of(desk.settings) as instance:
        return [(run.job_name, run.status.value) for run in reversed(instance.get_runs())]


def test_every_run_and_every_check_is_filed_for_the_pages(desk: Desk) -> None:
    with instance_of(desk.settings) as instance:
        keys = [promise.spec.key for promise in PROMISES]
        held = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)

    assert runs(desk) == [("land", "SUCCESS"), ("rate", "SUCCESS"), ("bill", "SUCCESS")]
    assert {key.name: record.status.value for key, record in held.items()} == {
        p.name: "SUCCEEDED" for p in PROMISES
    }


def test_a_second_journey_rolls_up_what_never_was_and_changes_nothing_else(desk: Desk) -> None:
    """A run that is killed after the last day was rated leaves such a home: no day is due for rating."""
    tables = (*(rollup.table for rollup in ROLLUPS), "measure/signal_days")
    held = {table: [(file.table, file.label) for file in desk.lake.files(table)] for table in tables}
    before, counted = {table: desk.lake.scan(table).collect() for table in tables}, counts(desk)
    with desk.ledger.transaction() as tx:
        gone = [file for files in held.values() for file in files]
        desk.lake.commit(tx, [], at=NOW, stage="measure", note="left behind", remove=gone)

    result = run_journey(desk)

    assert (result.problems(), result.skipped) == ([], ("rate",))
    assert runs(desk)[3:] == [("land", "SUCCESS"), ("bill", "SUCCESS")]
    assert counts(desk) == counted
    assert {table: desk.lake.scan(table).collect().equals(rows) for table, rows in before.items()} == (
        dict.fromkeys(tables, True)
    )


def test_without_billing_only_what_came_is_rated(desk: Desk) -> None:
    assert {key.partition("/")[0] for key in run_journey(desk, bill=False).reports} == {"land"}


def test_a_job_of_the_schedule_opens_the_home_by_itself(
    house: House, march_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLBOOK_HOME", str(house.home))
    monkeypatch.setenv("TOLLBOOK_API_URL", march_provider.url)
    with dg.DagsterInstance.ephemeral() as instance:
        result = build_definitions().resolve_job_def("poll").execute_in_process(instance=instance)

    assert (result.success, len(result.get_asset_check_evaluations())) == (True, 2)


@pytest.fixture
def forbidding(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk whose provider answers 403 for one resource."""
    faults = Faults.parse(f"forbidden={request.param}")
    world = WorldConfig(
        seed=3, calls=60, messages=20, start=date(2026, 3, 30), days=2, rates=RATES, faults=faults
    )
    with start_background(world, TOKEN) as provider:
        opened = empty_desk(tmp_path / "home", provider.url)
        yield opened
        opened.ledger.close()


@pytest.mark.parametrize("forbidding", ["dids"], indirect=True)
def test_a_forbidden_list_fails_alone_names_its_scope_and_is_told(forbidding: Desk) -> None:
    result = run_journey(forbidding, bill=False)

    assert list(result.failures) == ["land/dids"]
    rows = {name: sum(file.rows for file in forbidding.lake.files(f"land/{name}")) for name in LANDED}
    assert [name for name, count in rows.items() if not count] == ["dids"]
    assert rows["calls"] == 60
    assert counts(forbidding)["rate.calls"] > 0
    with pytest.raises(ForbiddenError, match=r"phonenumber\.read"):
        result.check()
    (told,) = (forbidding.settings.home / "alerts").glob("*.txt")
    assert "phonenumber.read" in told.read_text()


@pytest.mark.parametrize("forbidding", ["calls"], indirect=True)
def test_while_records_are_missing_what_was_billed_is_finished_and_nothing_is_billed(
    forbidding: Desk,
) -> None:
    result = run_journey(forbidding)

    assert list(result.failures) == ["land/calls"]
    assert {"render/documents", "deliver/emails"} <= set(result.reports)
    assert "invoice/invoices" not in result.reports


def test_no_secret_is_kept_by_dagster_or_told(
    tmp_path: Path, march_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token fails every landing; nothing else runs, and the token is nowhere."""
    monkeypatch.setenv("TOLLBOOK_SMTP_URL", "smtps://u:canary-password@127.0.0.1:1")
    desk = empty_desk(tmp_path / "home", march_provider.url, token="canary-wrong-token")

    result = run_journey(desk)
    desk.ledger.close()

    kept = [path for path in desk.settings.home.rglob("*") if path.is_file()]
    leaks = [path.name for path in kept if b"canary" in path.read_bytes()]
    assert (len(result.failures), result.skipped, leaks) == (8, ("rate", "bill"), [])
    assert runs(desk) == [("land", "FAILURE")]
