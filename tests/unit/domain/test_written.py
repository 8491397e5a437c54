"""Amounts as people and banks write them: read where there is one reading, refused where there are two."""

from decimal import Decimal

import pytest

from pipeline.domain.written import amount

AMOUNTS = [
    ("141.48", "", "141.48"),
    ("141,48", "", "141.48"),
    (" +141,5 ", "", "141.5"),
    ("-2.00", "", "-2.00"),
    ("1234", "", "1234"),
    ("1234,567", "", "1234.567"),
    ("0.123", "", "0.123"),
    ("1.234,56", "", "1234.56"),
    ("1,234.56", "", "1234.56"),
    ("1,234,567", "", "1234567"),
    ("1 234,56", "", "1234.56"),
    ("1\u00a0234\u202f567,8", "", "1234567.8"),
    ("1'234.56", "", "1234.56"),
    ("1,234", ".", "1234"),
    ("1,234", ",", "1.234"),
    ("1.234", ".", "1.234"),
    ("1.234", ",", "1234"),
    ("12.345.678", ",", "12345678"),
]


@pytest.mark.parametrize(("text", "decimal", "expected"), AMOUNTS)
def test_an_amount_is_read(text: str, decimal: str, expected: str) -> None:
    assert str(amount(text, decimal)) == expected


REFUSED = [
    *[("1,234", "", "two ways"), ("1.234", "", "two ways"), ("-12.345", "", "two ways")],
    *[
        (text, "", "is no amount like 1234.56 or 1.234,56")
        for text in ("", "-", "x", "1.0.0", "1,23.4", "1e3")
    ],
    *[
        (text, "", "is no amount")
        for text in ("1,234,56", "12,50-", "5 EUR", "1..2", ".5", "5.", "\u0661", "NaN")
    ],
    *[("141.48", ",", "behind ','"), ("1.234,56", ".", "behind '.'"), ("01.234", ",", "behind ','")],
]


@pytest.mark.parametrize(("text", "decimal", "why"), REFUSED)
def test_an_amount_is_refused(text: str, decimal: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        amount(text, decimal)


@pytest.mark.parametrize("cents", [*range(0, 2000, 37), 123456, 100000, 99999999])
def test_what_is_written_in_either_way_is_read_back(cents: int) -> None:
    value = Decimal(cents).scaleb(-2)
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))

    assert [amount(english), amount(german), amount(f"{value:.2f}")] == [value] * 3
