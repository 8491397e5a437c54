"""Dagster's own folder in the home, ``.dagster``: where the pages, the daemon and runs in process meet.

Add here what Dagster needs to know of its own keeping: telemetry, retention, how many runs at once. Nothing about
assets, and never a secret. See https://docs.dagster.io/deployment/oss/dagster-yaml.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dagster as dg

from pipeline.settings import Settings, use_dagster_home

_CONFIG = """\
# Written once by tollbook; yours to change. See https://docs.dagster.io/deployment/oss/dagster-yaml
telemetry:
  enabled: false
nux:
  enabled: false

# One run at a time: runs of one home hold its lock.
concurrency:
  runs:
    max_concurrent_runs: 1

run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 43200

retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 2
      success: 30
      failure: 30
"""
# Runs in process write to the terminal as they are: nothing of what they print is caught and kept.
_IN_PROCESS = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


def prepare(settings: Settings) -> Path:
    """Dagster's folder, made with its configuration on first use."""
    folder = settings.dagster_home.resolve()
    use_dagster_home(folder)
    config = folder / "dagster.yaml"
    if not config.exists():
        config.write_text(_CONFIG, encoding="utf-8")
    return folder


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance that the home's pages show."""
    from dagster._core.instance.ref import InstanceRef

    folder = prepare(settings)
    ref = InstanceRef.from_dir(str(folder), overrides=_IN_PROCESS)
    with dg.DagsterInstance.from_ref(ref) as instance, _kept_open(folder):
        yield instance


@contextmanager
def _kept_open(folder: Path) -> Iterator[None]:
    """Spares a third of the time that events take: Dagster opens and closes its databases for every one of them.

    When the last connection closes, SQLite folds its log into the file and waits for the disk; one that idles beside
    leaves that to the end of the run.
    """
    with ExitStack() as held:
        for name in ("runs.db", "runs/index.db"):
            if (path := folder / "history" / name).exists():
                connection = held.enter_context(closing(sqlite3.connect(path)))
                connection.execute("select count(*) from sqlite_master").fetchone()
        yield
