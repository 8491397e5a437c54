"""The chapters of tests/spec as pages for people."""

import subprocess
import sys
from pathlib import Path

from tests.spec.pages import Chapter, Paragraph, page, sentence

ROOT = Path(__file__).resolve().parent.parent


def test_a_chapter_is_its_title_its_sentences_its_terms_and_its_tables():
    deck = """
        prefix | price
        44     | 0.02
               | 0.5
    """
    calls = """
        number | -> amount
        441    |    0.02
    """
    paragraph = Paragraph(
        sentence("test_price_never_decides"), [deck, calls], {"increment_rule": "total", "windows": ""}
    )

    assert page(Chapter("Prefixes.", [paragraph])).splitlines() == [
        "# Prefixes.",
        "",
        "## Price never decides",
        "",
        "The plan's increment rule: total.",
        "",
        "| prefix | price |",
        "| ------ | ----- |",
        "| 44     | 0.02  |",
        "|        | 0.5   |",
        "",
        "| number | amount   |",
        "| ------ | -------- |",
        "| 441    | **0.02** |",
    ]


def test_the_command_prints_what_the_tests_of_a_chapter_have_shown():
    done = subprocess.run(
        [sys.executable, "-m", "tests.spec", "limits"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("# The least and the most that a call may cost")
    assert done.stdout.count("## ") == 3
    assert "| 441    | 600     | **rated**        | **0.5**  |" in done.stdout
