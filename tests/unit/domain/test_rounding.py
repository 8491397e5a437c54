"""Four modes, mirrored at zero, at any width."""

from decimal import Decimal

import pytest

from pipeline.domain.rounding import quantize


@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "up", "down"),
    [
        ("2.345", "2.35", "2.34", "2.35", "2.34"),
        ("2.355", "2.36", "2.36", "2.36", "2.35"),
        ("2.3450000001", "2.35", "2.35", "2.35", "2.34"),
        ("2.341", "2.34", "2.34", "2.35", "2.34"),
        ("2.34", "2.34", "2.34", "2.34", "2.34"),
        ("-2.345", "-2.35", "-2.34", "-2.35", "-2.34"),
        ("0.001", "0.00", "0.00", "0.01", "0.00"),
        ("12345678901234567890123456789012345.675", *("12345678901234567890123456789012345.68",) * 3, None),
    ],
)
def test_modes(value, half_up, half_even, up, down):
    expected = {"half_up": half_up, "half_even": half_even, "up": up, "down": down}
    for mode, text in expected.items():
        if text is not None:
            assert str(quantize(Decimal(value), 2, mode)) == text


def test_an_unknown_mode_names_those_there_are():
    with pytest.raises(ValueError, match="half_up, half_even, up, down"):
        quantize(Decimal(1), 2, "bankers")
