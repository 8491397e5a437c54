"""The front page is true: its commands run, its links lead somewhere, and it leaves no command out.

A block marked ``sh`` is run against a small billed month; one marked ``sh no-test`` is not.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.cli import app
from pipeline.lake.tables import STAGES
from pipeline.settings import KEYS
from tests.journey.house import House
from tests.journey.warm import Warm

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# The month of the tests is so small that an invoice may have fewer lines than the demo's.
LINE = re.compile(r"(HCS-\d{4}-\d+)/\d+")


def commands(block: str) -> Iterator[list[str]]:
    """The commands of a block; a text in quotes may go over many lines."""
    held = ""
    for line in block.splitlines():
        held += line + "\n"
        try:
            words = shlex.split(held, comments=True)
        except ValueError:
            continue  # within quotes
        held = ""
        if words:
            yield words
    assert held == "", f"a quote is never closed: {held}"


BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_there_are_commands_to_run() -> None:
    assert sum(1 for block in BLOCKS for _ in commands(block)) > 5


def test_the_commands_run(house: House) -> None:
    """In order, as somebody would who follows the page."""
    failed = []
    for words in (words for block in BLOCKS for words in commands(block) if words[0] != "make"):
        assert words[0] == ".venv/bin/tollbook", words
        arguments = [LINE.sub(r"\1/1", w).replace("data/demo", str(house.home)) for w in words[1:]]
        done = house.warm.tollbook(*arguments, cwd=ROOT, env=house.settings)
        if done.code != 0:
            failed.append((words, done.err))

    assert failed == []


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_what_is_made_can_be_made(page: str) -> None:
    asked = re.findall(r"(?:^|`)make((?: [A-Z]+=\S+?)*) ([a-z]+)((?: [A-Z]+=[^\s`]+)*)", page, re.MULTILINE)
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))

    assert [target for _, target, _ in asked if target not in targets] == []
    given = [pair.partition("=")[0] for before, _, after in asked for pair in (before + after).split()]
    assert [name for name in given if name not in variables] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md", "tests/README.md"])
def test_links_and_pictures_lead_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))

    missing = [
        link
        for link in links
        if not link.startswith(("https://", "#")) and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert missing == []


def test_every_command_explains_itself(warm: Warm) -> None:
    names = sorted(get_command(app).commands)  # type: ignore[attr-defined]

    assert len(names) > 15
    assert [name for name in names if warm.tollbook(name, "--help").code != 0] == []


def test_commands_that_are_named_exist() -> None:
    named = set(re.findall(r"`tollbook ([a-z]+)", README))

    assert named - set(get_command(app).commands) == set()  # type: ignore[attr-defined]


def test_every_setting_is_explained() -> None:
    assert [key.name for key in KEYS if f"TOLLBOOK_{key.name.upper()}" not in README] == []


def test_tables_that_are_named_exist(march: House) -> None:
    named = set(re.findall(rf"`((?:{'|'.join(STAGES)})\.[a-z_]+)`", README))

    assert len(named) > 15
    with march.lake() as lake, lake.duck() as con:
        for name in sorted(named):
            con.execute(f"select * from {name} limit 0")
