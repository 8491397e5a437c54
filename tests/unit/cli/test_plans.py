"""``plans``: a deck comes in, shows what it changes, is assigned, and goes out again as a rate sheet."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.journey.house import House
from tests.journey.warm import Done, Warm

FIRST = "Code;Ziel;Preis\n+44;UK;0,02\n1201-1202;US;0,01\n"
SAID = ("--map", "Preis=price", "--ignore", "Ziel", "--currency", "EUR", "--direction", "outbound")


class Desk:
    """A home of its own, and the hands to work in it."""

    def __init__(self, warm: Warm, folder: Path) -> None:
        self.warm, self.folder = warm, folder
        self.home = folder / "home"

    def plans(self, *words: object) -> Done:
        return self.warm.tollbook("--home", self.home, "plans", *words, cwd=self.folder)

    def take(self, text: str, *words: object, since: str = "2026-01-01") -> Done:
        deck = self.folder / "deck.csv"
        deck.write_text(text, encoding="utf-8")
        return self.plans("import", deck, "--plan", "gold", "--effective", since, *words)


@pytest.fixture(scope="module")
def first(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(warm, tmp_path_factory.mktemp("first"))
    for done in (warm.tollbook("init", made.home, cwd=made.folder), made.take(FIRST, *SAID)):
        assert done.code == 0, done.said
    return made


@pytest.fixture
def desk(first: Desk, tmp_path: Path) -> Desk:
    """With a plan ``gold``."""
    shutil.copytree(first.folder, tmp_path, dirs_exist_ok=True)
    return Desk(first.warm, tmp_path)


def test_an_import_says_what_it_took_and_what_it_did_not_read(desk: Desk) -> None:
    done = desk.take(FIRST, *SAID, "--json")
    said = json.loads(done.out)

    assert (said["plan"], said["rates"], said["imported"], said["notes"]) == (
        "gold",
        3,
        False,
        ["not read: Ziel"],
    )
    assert said["counts"]["unchanged"] == 3


def test_an_import_says_how_the_prices_are_meant(desk: Desk) -> None:
    done = desk.take(FIRST, *SAID)

    assert (
        "read as calls, direction outbound, family any, in EUR per 60 s, increments after the minimum"
        in done.out
    )


def test_no_plans_is_said(warm: Warm, tmp_path: Path) -> None:
    warm.tollbook("init", tmp_path / "home")

    assert "there is no plan yet" in warm.tollbook("--home", tmp_path / "home", "plans", "list").out


def test_a_dry_run_shows_the_difference_and_changes_nothing(desk: Desk) -> None:
    changes = desk.folder / "changes.csv"
    words = ("--mode", "change", "--dry-run", "--csv", changes)
    done = desk.take("prefix,price\n44,0.03\n49,0.05\n", *words, since="2026-03-01")

    assert done.code == 0, done.said
    assert "4 rates from 2026-03-01: would be imported; nothing was changed" in done.out
    assert "1 new, 1 up, 2 unchanged" in done.out
    assert [row["change"] for row in csv.DictReader(changes.read_text().splitlines())] == ["up", "new"]
    assert len(json.loads(desk.plans("list", "--json").out)) == 1


def test_a_refused_deck_lists_its_lines_and_changes_nothing(desk: Desk) -> None:
    done = desk.take("prefix,price\n44,0.03\n4.4E+11,0.05\n44,0.04\n", since="2026-03-01")

    assert done.code == 1
    assert "line 3: prefix '4.4E+11' was rewritten by a spreadsheet" in done.err
    assert "line 4: prefix '44' is in force at the same time as line 2, with another rate" in done.err
    assert len(json.loads(desk.plans("list", "--json").out)) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--mode", "merge"), 2, "replace, add, change"),
        (("--decimal", "x"), 2, "--decimal"),
        (("--map", "price"), 1, "--map 'price' is no pair"),
        (("--date-format", "MM/YYYY"), 1, "must have YYYY or YY, MM or MMM, and DD"),
        (("--window", "peak 8-20"), 1, "--window cannot be read"),
        (("--csv", "/nowhere/x.csv", "--dry-run"), 1, "cannot be written"),
    ],
)
def test_options_that_cannot_be_meant(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    done = desk.take("prefix,price\n44,0.03\n", "--currency", "EUR", *words, since="2026-03-01")

    assert done.code == code
    assert said in " ".join(done.err.split())


def test_a_deck_file_is_quoted_as_it_would_be_imported(desk: Desk) -> None:
    asked = ("quote", "+442079460000", "--seconds", "90", "--at", "2026-02-01", "--json")
    file = desk.warm.tollbook(*asked, "--plan-file", desk.folder / "deck.csv", *SAID, cwd=desk.folder)
    stored = desk.warm.tollbook("--home", desk.home, *asked, "--plan", "gold", cwd=desk.folder)
    same = ("status", "amount", "currency", "billed", "matched_prefix")
    quoted, imported = (json.loads(done.out) for done in (file, stored))

    assert quoted["amount"] == "0.0300000000"
    assert [quoted[name] for name in same] == [imported[name] for name in same]


def test_only_a_deck_file_is_told_how_it_is_written(desk: Desk) -> None:
    done = desk.warm.tollbook("--home", desk.home, "quote", "44", "--plan", "gold", *SAID, cwd=desk.folder)

    assert done.code == 2
    assert "--currency, --map, --ignore can only be said of a --plan-file" in " ".join(done.err.split())


def test_versions_are_compared(desk: Desk) -> None:
    desk.take("prefix,price\n44,0.03\n", "--mode", "change", since="2026-03-01")
    done = desk.plans("diff", "gold", "--before", "2026-02-01", "--after", "2026-03-01", "--json")
    said = json.loads(done.out)

    assert (said["counts"]["up"], said["counts"]["unchanged"]) == (1, 2)
    assert said["biggest"][0] == {
        "change": "up",
        "prefix": "44",
        "before": "0.02",
        "after": "0.03",
        "percent": "50.0",
        "starts": "2026-03-01T00:00:00+00:00",
    }


def test_the_rates_of_a_plan(desk: Desk) -> None:
    rows = json.loads(desk.plans("show", "gold", "--prefix", "12", "--json").out)

    assert [(row["prefix"], row["increment"]) for row in rows] == [("1201", "1.000000"), ("1202", "1.000000")]
    assert "jurisdiction" not in desk.plans("show", "gold").out


def test_a_plan_says_once_what_all_of_its_rows_have(desk: Desk) -> None:
    listed, shown = desk.plans("list").out, desk.plans("show", "gold").out

    assert (
        "gold: calls, direction outbound, family any, in EUR per 60 s, increments after the minimum" in listed
    )
    assert "each with connect_fee 0.00, increment 1, minimum 0, unit 60, status active" in shown
    assert [line.split() for line in shown.splitlines() if line.startswith("12")] == [
        ["1201", "0.01"],
        ["1202", "0.01"],
    ]


def test_a_plan_is_assigned(desk: Desk) -> None:
    done = desk.plans("assign", "*", "gold", "--start", "2026-01-01")
    again = desk.plans("assign", "*", "gold", "--start", "2026-02-01")

    assert done.code == 0, done.said
    assert (
        (desk.home / "masters" / "assignments.csv")
        .read_text()
        .splitlines()[-1]
        .startswith("*,gold,,,,2026-01-01,")
    )
    assert again.code == 1
    assert "overlaps line" in again.err
    assert "--service" in again.err


@pytest.mark.parametrize(
    ("partner", "plan", "said"),
    [
        ("*", "silver", "there is no plan 'silver'; the plans are gold"),
        ("nobody", "gold", "is no customer of"),
    ],
)
def test_what_does_not_exist_is_not_assigned(desk: Desk, partner: str, plan: str, said: str) -> None:
    done = desk.plans("assign", partner, plan, "--start", "2026-01-01")

    assert done.code == 1
    assert said in " ".join(done.err.split())


def test_a_sheet_goes_out_and_comes_back_as_the_same_plan(desk: Desk) -> None:
    first = desk.plans("export", "gold", "--at", "2026-02-01", "--out", desk.folder / "out")
    desk.take("prefix,price,status\n44,0.03,\n1201,,deleted\n", "--mode", "change", since="2026-03-01")
    sheet = desk.folder / "march.xlsx"
    second = desk.plans("export", "gold", "--at", "2026-03-02", "--out", sheet)
    taken = desk.plans("import", sheet, "--plan", "copy", "--effective", "2026-03-01", "--json")
    changed = desk.plans("import", sheet, "--plan", "gold", "--effective", "2026-03-01", "--json")

    assert "the first one sent" in first.out
    assert sorted(p.suffix for p in (desk.folder / "out").iterdir()) == [".csv", ".xlsx"]
    assert "1 gone, 1 up" in second.out
    assert (json.loads(taken.out)["rates"], json.loads(changed.out)["imported"]) == (2, False)


def test_a_draft_is_not_remembered_as_sent(desk: Desk) -> None:
    done = desk.plans("export", "gold", "--at", "2026-02-01", "--out", desk.folder / "out", "--draft")

    assert done.code == 0, done.said
    assert not (desk.home / "rate_sheets").exists()


def test_the_sheets_of_a_customer(house: House, tmp_path: Path) -> None:
    sid = house.one("select payer_sid from rate.calls where side = 'charge' and plan_sid is not null limit 1")
    done = house.tollbook(
        "plans", "export", "--customer", sid, "--at", "2026-03-10", "--out", tmp_path, "--json"
    )
    sheets = json.loads(done.out)

    assert done.code == 0, done.said
    assert all(sheet["rates"] and sheet["since"] is None for sheet in sheets)
    assert sheets
    assert len(list(tmp_path.glob("*.csv"))) == len(sheets)
