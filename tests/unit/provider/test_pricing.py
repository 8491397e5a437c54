"""The sandbox's own pricing, worked out by hand."""

import pytest

from pipeline.errors import TollbookError
from pipeline.provider.pricing import Terms, billed_seconds, decimal_text, message_price, scaled


@pytest.mark.parametrize(
    ("talk_ms", "increment", "minimum", "expected"),
    [
        pytest.param(0, 6, 6, 0, id="no talk is not billed, minimum or not"),
        pytest.param(1, 6, 6, 6, id="a millisecond is an increment"),
        pytest.param(4_250, 6, 6, 6, id="4.25 s on 6/6"),
        pytest.param(4_250, 60, 60, 60, id="4.25 s on 60/60"),
        pytest.param(3_304, 60, 60, 60, id="the documents' sample call"),
        pytest.param(6_000, 6, 6, 6, id="an exact increment does not round up"),
        pytest.param(6_001, 6, 6, 12, id="a millisecond more does"),
        pytest.param(60_001, 60, 60, 120, id="60.001 s is more than a minute"),
        pytest.param(31_000, 6, 30, 36, id="31 s on 30/6"),
        pytest.param(12_000, 6, 30, 30, id="12 s on 30/6"),
        pytest.param(61_000, 1, 60, 61, id="61 s on 60/1"),
        pytest.param(20_500, 1, 1, 21, id="20.5 s on 1/1"),
        pytest.param(25_000, 6, 20, 30, id="whole increments also where the minimum is none"),
    ],
)
def test_billed_seconds(talk_ms: int, increment: int, minimum: int, expected: int) -> None:
    assert billed_seconds(talk_ms, increment, minimum) == expected


@pytest.mark.parametrize(
    ("price", "increment", "minimum", "unit", "talk_ms", "expected"),
    [
        pytest.param("0.01", "6", "6", None, 60_000, ("60", "0.1"), id="6/6 per minimum: ten times 0.01"),
        pytest.param("0.01", "6", "6", 60, 60_000, ("60", "0.01"), id="6/6 per minute"),
        pytest.param("0.0025", "60", "60", None, 8_880_000, ("8880", "0.37"), id="148 minutes"),
        pytest.param("0.001", "6", "6", None, 4_250, ("6", "0.001"), id="one increment"),
        pytest.param("0.0145", "6", "30", None, 31_000, ("36", "0.0174"), id="30/6 per 30 s"),
        pytest.param("0.00012", "1", "1", None, 12_345, ("13", "0.00156"), id="per second"),
        pytest.param("0.0001", "6", "6", 60, 6_000, ("6", "0.00001"), id="small prices stay plain numbers"),
        pytest.param(
            "0.000000000100", "1", "60", None, 31_000, ("60", "0.0000000001"), id="the last decimal"
        ),
        pytest.param("0.00000000005", "60", "60", None, 1, ("60", "0.0000000001"), id="half goes up"),
        pytest.param("0.00000000005", "1", "1", 60, 30_000, ("30", "0"), id="less than half goes down"),
        pytest.param("0", "60", "60", None, 61_000, ("120", "0"), id="free, but billed"),
        pytest.param("1.29", "60", "60", None, 0, ("0", "0"), id="unanswered"),
    ],
)
def test_charge(
    price: str, increment: str, minimum: str, unit: int | None, talk_ms: int, expected: tuple[str, str]
) -> None:
    assert Terms.of(price, increment, minimum, unit).charge(talk_ms) == expected


@pytest.mark.parametrize(
    ("rate", "segments", "recipients", "expected"),
    [("0.005", 1, 1, "0.005"), ("0.005", 1, 3, "0.015"), ("0.08533", 4, 1, "0.34132"), ("0", 2, 1, "0")],
)
def test_message_price(rate: str, segments: int, recipients: int, expected: str) -> None:
    assert message_price(scaled(rate), segments, recipients) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (1, "0.0000000001"), (123_450_000_000, "12.345"), (10**11, "10")]
)
def test_decimal_text(value: int, expected: str) -> None:
    assert decimal_text(value) == expected


@pytest.mark.parametrize("text", ["", "-1", "1e-3", "0,5", "0.1234567890123"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TollbookError, match="is not a price"):
        scaled(text)
