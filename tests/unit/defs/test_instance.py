"""Dagster's folder in the home."""

from pathlib import Path

import pytest

from pipeline.defs.instance import instance_of, prepare
from pipeline.settings import load


@pytest.fixture(autouse=True)
def no_folder_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")


def test_the_configuration_is_written_once_and_then_the_users(home: Path) -> None:
    folder = prepare(load(home))
    first = (folder / "dagster.yaml").read_text()
    (folder / "dagster.yaml").write_text(first + "# mine\n")

    prepare(load(home))

    assert (folder / "dagster.yaml").read_text() == first + "# mine\n"


def test_dagster_reports_nothing_home_and_runs_one_at_a_time(home: Path) -> None:
    with instance_of(load(home)) as instance:
        settings = (
            instance.telemetry_enabled,
            instance.nux_enabled,
            instance.get_concurrency_config().run_queue_config.max_concurrent_runs,
            instance.run_monitoring_enabled,
        )

    assert settings == (False, False, 1, True)
