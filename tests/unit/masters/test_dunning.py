"""The bounds of an invoice and the levels of reminders, as ``policy.toml`` says them."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.files import read_masters
from pipeline.masters.model import Bounds, Policy, ReminderLevel

LEVEL = 'days_overdue = {}\nsubject = "s"\ntext = "t"\n'


def policy(folder: Path, text: str) -> Policy:
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    return read_masters(folder).policy


def test_what_is_not_said_is_the_default(tmp_path: Path) -> None:
    read = policy(tmp_path, "")
    assert (read.bounds, read.reminders, read.remind_daily) == (Bounds(), (), False)


def test_bounds_are_read(tmp_path: Path) -> None:
    text = '[bounds]\nusual_factor = 3\nusual_of = 12\nusual_least = "49.50"\nmost_lines = 200\n'
    assert policy(tmp_path, text).bounds == Bounds(3, 12, Decimal("49.50"), 200)


def test_levels_come_in_their_order(tmp_path: Path) -> None:
    text = f'remind_daily = "yes"\n[reminder.2]\n{LEVEL.format(21)}[reminder.1]\n{LEVEL.format(7)}'
    read = policy(tmp_path, text)
    assert read.reminders == (ReminderLevel(1, 7, "s", "t"), ReminderLevel(2, 21, "s", "t"))
    assert read.remind_daily


WRONG = {
    "a gap": (
        f"[reminder.1]\n{LEVEL.format(7)}[reminder.3]\n{LEVEL.format(9)}",
        "they are 1 to 2, without a gap",
    ),
    "no level": (f"[reminder.soft]\n{LEVEL.format(7)}", "they are 1 to 1, without a gap"),
    "not later": (
        f"[reminder.1]\n{LEVEL.format(7)}[reminder.2]\n{LEVEL.format(7)}",
        "days_overdue is 7, not later than level 1",
    ),
    "no text": ('[reminder.1]\ndays_overdue = 7\nsubject = "s"\n', "text is empty; it is required"),
    "an unknown bound": ("[bounds]\nusual_facter = 3\n", "did you mean 'usual_factor'?"),
    "a negative amount": ("[bounds]\nusual_least = -1\n", "valid is an amount of 0 or more"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MasterError, match=r"policy\.toml:") as error:
        policy(tmp_path, text)
    assert told in str(error.value)
