"""Output goes where it can: nowhere where it was closed, as escapes where its encoding is too small."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.cli.show import as_json, say

ROOT = Path(__file__).resolve().parents[3]
DECK = "data/masters/decks/retail-outbound-2026.csv"
NAME = "Zürich → 東京"


def test_output_that_was_closed_is_no_error() -> None:
    quote = f"quote +4930901820 --seconds 61 --json --plan-file {DECK}"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m pipeline.cli {quote} >&-', sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_text_is_printed_in_escapes_where_its_letters_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed_in_ascii(lambda: say(NAME), monkeypatch)

    assert said == NAME.encode("ascii", "backslashreplace") + b"\n"


def test_json_stays_json_where_its_letters_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed_in_ascii(lambda: as_json({"name": NAME}), monkeypatch)

    assert json.loads(said) == {"name": NAME}


def printed_in_ascii(command: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What ``tollbook`` prints where the output takes nothing else."""
    raw = BytesIO()
    monkeypatch.setattr("pipeline.cli.app", command)
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="ascii", write_through=True))
    main()
    return raw.getvalue()
