"""A command loads what it needs and nothing heavier, so that it answers at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.house import House

ROOT = Path(__file__).resolve().parents[3]
ENGINES = ("polars", "duckdb", "pyarrow", "sqlalchemy")
HEAVY = (
    *("dagster", "weasyprint", "jinja2", "httpx", "starlette", "uvicorn", "phonenumbers"),
    *ENGINES,
)
DECK = "data/masters/decks/retail-outbound-2026.csv"
_SCRIPT = """
import sys
from pipeline.cli import main
names, sys.argv = sys.argv[1].split(","), ["tollbook", *sys.argv[2:]]
try:
    main()
except SystemExit as leaving:
    assert not leaving.code, leaving
print("loaded:", *(name for name in names if name in sys.modules))
"""


def loaded(*arguments: str, of: tuple[str, ...]) -> list[str]:
    """Which of these modules a command has loaded in a process of its own."""
    program = [sys.executable, "-c", _SCRIPT, ",".join(of), *arguments]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("sql", "--help")], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments, of=HEAVY) == []


def test_a_quote_from_a_file_loads_no_scheduler_and_no_renderer() -> None:
    arguments = ("quote", "+4930901820", "--seconds", "61", "--plan-file", DECK)

    assert loaded(*arguments, of=("dagster", "weasyprint", "jinja2", "starlette")) == []


def test_a_question_loads_no_scheduler_and_no_renderer(march: House) -> None:
    arguments = ("--home", str(march.home), "sql", "select count(*) from land.calls")

    assert loaded(*arguments, of=("dagster", "weasyprint", "jinja2", "starlette", "httpx")) == []
