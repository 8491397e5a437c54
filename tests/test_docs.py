"""The documentation is true: pages of tables are those of this release, commands run, examples answer, links lead.

Blocks marked ``sh`` are run against a billed month; those marked ``sh no-test`` are not.
"""

import csv
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.cli import app
from pipeline.homes import make_home
from pipeline.lake import pages
from pipeline.masters.files import CUSTOMER_COLUMNS, FILES, read_masters
from pipeline.masters.taxes import TAX_COLUMNS
from pipeline.rate.deck.file import DeckOptions, read_whole
from pipeline.rate.deck.names import COLUMNS, FOREIGN, NETWORKS
from pipeline.shipped import shipped
from tests.journey.house import House
from tests.test_readme import LINE, commands

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HOW_TOS = sorted((DOCS / "how-to").glob("*.md"))
MASTERS = DOCS / "masters.md"
WRITTEN = [DOCS / "README.md", DOCS / "glossary.md", MASTERS, *HOW_TOS]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOTEBOOK = ROOT / "data" / "tollbook.ipynb"
EXAMPLES = sorted(path.stem for path in shipped("sql", "examples").glob("*.sql"))


def test_pages_of_tables_are_new() -> None:
    """If this fails: ``make docs``."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "tables").glob("*.md")}
    made = pages.pages()

    assert sorted(kept) == sorted(made)
    assert [name for name in made if kept[name] != made[name]] == []


@pytest.mark.parametrize(
    "page", [*WRITTEN, *sorted((DOCS / "tables").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    named = set(
        re.findall(
            r"tollbook ([a-z]+)\b(?! *=)", "\n".join(re.findall(r"`[^`]+`", page.read_text(encoding="utf-8")))
        )
    )

    assert named - set(get_command(app).commands) == set()  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", [*WRITTEN, ROOT / "README.md"], ids=lambda page: page.name)
def test_options_that_are_named_within_a_line_exist(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    unknown = []
    for line in re.findall(r"`(tollbook [^`]+)`", text.replace("tollbook --home data/demo", "tollbook")):
        words, command = line.split()[1:], get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        known = {option for parameter in command.params for option in parameter.opts}
        unknown += [
            (line, word) for word in words if word.startswith("--") and word != "--" and word not in known
        ]

    assert unknown == []


# The example of each master file, found by what its first column is called.
FIRST_COLUMNS = {
    "[seller.house]": "sellers.toml",
    "partner_sid,name": "customers.csv",
    "partner_sid,plan_sid": "assignments.csv",
    "country,state,comment": "tax_places.csv",
    "partner_sid,certificate": "exemptions.csv",
    "charge,": "charges.csv",
    "discount,": "discounts.csv",
    "commitment,": "commitments.csv",
    "bundle,": "bundles.csv",
    "tier,": "tiers.csv",
    "partner_sid,prefix": "did_prices.csv",
    "per_use,": "per_use.csv",
    "plan_sid,name": "markups.csv",
    "date,currency": "exchange_rates.csv",
}


def explained(text: str, section: str) -> list[str]:
    """The columns in the first cells of a section's table."""
    (found,) = re.findall(rf"^## {section}.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    return sorted(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", found, re.MULTILINE))))


def test_the_examples_of_master_files_are_a_home_that_works(tmp_path: Path) -> None:
    """Together with the taxes and the policy of a new home; every column of a customer is in it, and explained."""
    make_home(tmp_path)
    text = MASTERS.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:csv|toml)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    named = {next(file for start, file in FIRST_COLUMNS.items() if b.startswith(start)): b for b in blocks}
    for file, block in named.items():
        (tmp_path / "masters" / file).write_text(block, encoding="utf-8")

    masters = read_masters(tmp_path / "masters")

    assert sorted(named) == sorted(FIRST_COLUMNS.values())
    assert set(FILES) - set(named) == {"taxes.csv", "tax_shares.csv", "policy.toml"}
    assert (len(masters.sellers), len(masters.customers), len(masters.assignments)) == (2, 3, 4)
    held = (masters.charges, masters.discounts, masters.commitments, masters.bundles, masters.tiers)
    held += (masters.per_use, masters.did_prices, masters.markups, masters.exchange_rates, masters.exemptions)
    assert [len(rows) for rows in held] == [2, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    assert [explained(text, "customers.csv"), explained(text, "Taxes")] == [
        sorted(CUSTOMER_COLUMNS),
        sorted(TAX_COLUMNS),
    ]
    assert named["customers.csv"].splitlines()[0].split(",") == list(CUSTOMER_COLUMNS)


def deck_columns() -> list[tuple[str, str]]:
    """Each column of a deck that the page explains, with its example."""
    text = (DOCS / "how-to" / "import-a-deck.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+)` \|.*\| `([^`]+)` \|$", text, re.MULTILINE)


def test_every_column_of_a_deck_is_explained_and_no_other() -> None:
    assert sorted(name for name, _ in deck_columns()) == sorted((*COLUMNS, *FOREIGN))


@pytest.mark.parametrize(("column", "example"), deck_columns())
def test_the_example_of_a_column_of_a_deck_is_read(column: str, example: str, tmp_path: Path) -> None:
    """Beside the least that a deck of its kind needs."""
    of_messages = column in (*NETWORKS, "billable_statuses")
    row = {"price": "0.01"} | ({"mcc": "262"} if of_messages else {"prefix": "49"})
    row |= {"windows": "peak mon-fri"} if column == "window" else {}
    row |= {"npanxx": "212"} if column == "nxx" else {}
    replaced = {"mccmnc": ("mcc",), "npanxx": ("prefix",), "nxx": ("prefix",), "area_code": ("prefix",)}
    row = {name: cell for name, cell in row.items() if name not in replaced.get(column, ())}
    row |= {column: example}
    deck = tmp_path / "deck.csv"
    with deck.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([row.keys(), row.values()])
    options = DeckOptions("gold", SINCE, service="message" if of_messages else "")

    assert read_whole(deck, options).not_read == ((column,) if column == "country_name" else ())


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_the_commands_of_a_how_to_run(page: Path, house: House) -> None:
    """In order, within the home, as somebody would who follows the page."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    failed = []
    for words in (words for block in blocks for words in commands(block)):
        assert words[0] == "tollbook", words
        done = house.warm.tollbook(
            *(LINE.sub(r"\1/1", word) for word in words[1:]), cwd=house.home, env=house.settings
        )
        if done.code not in (0, 1) or (done.code == 1 and words[1] not in FINDING):
            failed.append((words, done.err))

    assert failed == []


# These end with 1 where they found something that a person has to look at.
FINDING = ("doctor", "audit", "statement")


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_answer(name: str, march: House) -> None:
    with march.lake() as lake, lake.ask() as ask:
        answer = ask((shipped("sql", "examples") / f"{name}.sql").read_text(encoding="utf-8"))

    assert len(answer.columns) > 1


def test_the_notebook_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first cell to the last, and nothing of it is kept but the code."""
    house.publish()
    monkeypatch.setenv("TOLLBOOK_HOME", str(house.home))
    monkeypatch.setitem(os.environ, "TOLLBOOK_HOME", str(house.home))
    cells = [c for c in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    names: dict[str, object] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)

    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert names["countries"]["revenue"].sum() > 0  # type: ignore[index]
    assert names["by_hour"]["answered"].sum() > 0  # type: ignore[index]
