"""The list of decks says how each file is to be read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.decks import DeckFile, read_decks


def test_no_list_is_no_decks(tmp_path: Path) -> None:
    assert read_decks(tmp_path) == ()


def test_a_deck_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "retail.csv").touch()
    (tmp_path / "decks.toml").write_text(
        '[[deck]]\nfile = "retail.csv"\nplan_sid = "retail"\ncurrency = "USD"\neffective_from = 2026-03-01\n'
    )

    assert read_decks(tmp_path) == (
        DeckFile(
            path=tmp_path / "retail.csv",
            plan_sid="retail",
            name="retail",
            service="call",
            direction="",
            family="",
            currency="USD",
            effective_from=datetime(2026, 3, 1, tzinfo=UTC),
        ),
    )


def test_every_problem_is_listed_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "decks.toml").write_text(
        '[[deck]]\nfile = "a.csv"\nplan_sid = "a"\ncurrency = "USD"\n\n'
        '[[deck]]\nfile = "../b.csv"\nplan_sid = "b"\ncurrency = "usd"\neffective_from = "soon"\n'
    )

    with pytest.raises(MasterError) as caught:
        read_decks(tmp_path)

    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        f"decks.toml:2: file is 'a.csv', which is not in {tmp_path}",
        "decks.toml:1: effective_from is empty; it is required",
        "decks.toml:7: file is '../b.csv'; valid is the name of a .csv or .xlsx file beside decks.toml",
        "decks.toml:9: currency is 'usd'; did you mean 'USD'?",
        (
            "decks.toml:10: effective_from is 'soon'; valid is a date, or an instant with an offset like "
            "2026-03-01T00:00:00Z"
        ),
    ]
