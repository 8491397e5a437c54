"""What ``explain`` prints fits the terminal, and its arithmetic carries the signs that it says."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.cli import explain
from pipeline.cli.show import out

SID = "b01b255d-c94e-4881-b0c5-7bb8ff3f1833"
COLUMNS = ["ended", "number", "price", "amount", "record"]
ROW = [datetime(2026, 3, 3, 14, 59, 2, tzinfo=UTC), "551123611502", Decimal("0.254"), Decimal("0.3302"), SID]


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int) -> list[str]:
    monkeypatch.setattr(out, "_width", width)
    explain._table(COLUMNS, [ROW])
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_an_id_stands_in_its_row_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(monkeypatch, capsys, 120) == [
        "ended                 number        price  amount  record",
        f"2026-03-03 14:59:02Z  551123611502  0.254  0.3302  {SID}",
    ]


def test_an_id_stands_below_its_row_in_one_piece_where_there_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(monkeypatch, capsys, 80) == [
        "ended                 number        price  amount",
        "  record",
        "2026-03-03 14:59:02Z  551123611502  0.254  0.3302",
        f"  {SID}",
    ]


FEET = {
    "an invoice": (
        ("100.00", "84.51", "13.44", "40.00", "157.95", "157.95"),
        "100.00 before + 84.51 items + 13.44 taxes - 40.00 paid = 157.95; due 157.95",
    ),
    "a credit note on an account in credit": (
        ("-10.00", "-2.69", "-1.22", "0.00", "-13.91", "0.00"),
        "-10.00 before - 2.69 items - 1.22 taxes - 0.00 paid = -13.91; due 0.00",
    ),
    "a payment that was taken back": (
        ("0.00", "1.00", "0.00", "-5.00", "6.00", "6.00"),
        "0.00 before + 1.00 items + 0.00 taxes + 5.00 paid = 6.00; due 6.00",
    ),
}


@pytest.mark.parametrize(("figures", "said"), FEET.values(), ids=FEET)
def test_the_foot_adds_up_with_the_signs_it_shows(figures: tuple[str, ...], said: str) -> None:
    names = ("balance_previous", "amount", "amount_tax", "payments", "balance_forward", "amount_due")
    invoice: dict[str, Any] = dict(zip(names, map(Decimal, figures), strict=True))
    assert explain._foot(invoice) == said
