"""The chapters of tests/spec as pages for people."""

import subprocess
import sys
from pathlib import Path

from tests.spec.pages import PREFACE, Chapter, Paragraph, Scribe, page, sentence

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
    scribe = Scribe()
    scribe.planned({"plan_sid": "p", "increment_rule": "total", "windows": ()})
    for table in (deck, calls, deck):
        scribe.drew(table)
    paragraph = Paragraph(sentence("test_price_never_decides"), scribe._now.said)

    assert page(Chapter("Prefixes.", [paragraph])).splitlines() == [
        "# Prefixes.",
        "",
        "## Price never decides",
        "",
        "Plan p: increment rule total.",
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

    assert done.stdout.startswith(f"{PREFACE}\n\n# The least and the most that a call may cost")
    assert done.stdout.count("## ") == 3
    assert "| 441    | 600     | **rated**        | **0.5**  |" in done.stdout
