"""The table ``[signals]`` of ``policy.toml``: from where on something is a signal."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.files import read_masters
from pipeline.masters.signals import SignalPolicy
from pipeline.shipped import shipped


def signals(folder: Path, text: str) -> SignalPolicy:
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    return read_masters(folder).policy.signals


def test_what_is_not_said_is_the_default(tmp_path: Path) -> None:
    assert signals(tmp_path, "") == SignalPolicy()


def test_the_shipped_policy_shows_the_defaults() -> None:
    assert read_masters(shipped("data", "masters")).policy.signals == SignalPolicy()


def test_what_is_said_is_read(tmp_path: Path) -> None:
    text = '[signals]\nfactor = 9\nspend_least = "7.50"\noff = ["night"]\nquiet = ["acme/spend"]\n'
    assert signals(tmp_path, text + 'risky_ranges = ["882"]\n') == SignalPolicy(
        factor=9, spend_least=Decimal("7.50"), off=("night",), quiet=("acme/spend",), risky_ranges=("882",)
    )


WRONG = {
    "an unknown kind": ('off = ["nihgt"]', "did you mean 'night'?"),
    "an unknown key": ("wangiri_call = 3", "did you mean 'wangiri_calls'?"),
    "a number out of bounds": ("factor = 0", "valid is a whole number from 1 to 1000"),
    "a negative amount": ("spend_least = -1", "valid is an amount of 0 or more"),
    "a prefix that is none": ('safe_ranges = ["+1900"]', "one to six first digits"),
    "a prefix that is too long": ('risky_ranges = ["19005551"]', "one to six first digits"),
    "an unknown severity": ('tell_from = "mediun"', "did you mean 'medium'?"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MasterError, match=r"policy\.toml:2: ") as error:
        signals(tmp_path, f"[signals]\n{text}\n")
    assert told in str(error.value)
