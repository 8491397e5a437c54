"""The layers hold, and the command line starts without loading an engine."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"polars", "duckdb", "pyarrow", "sqlalchemy", "weasyprint", "dagster", "phonenumbers", "httpx"}


def loaded_by(statement: str) -> set[str]:
    """The top-level names of all modules that a fresh Python loads for ``statement``."""
    script = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_every_import_contract_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=str(tmp_path), no_logo=True)

    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


@pytest.mark.parametrize("module", ["pipeline.cli", "pipeline.masters.files", "pipeline.domain.rating"])
def test_light_modules_stay_light(module: str) -> None:
    allowed = {"phonenumbers"} if module == "pipeline.domain.rating" else set()

    assert loaded_by(f"import {module}") & (HEAVY - allowed) == set()
