"""Digits, countries, toll-free."""

import pytest

from pipeline.domain.numbering import country_of, digits, is_short_code, is_toll_free_nanp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+15012678830", "15012678830"),
        ("15012678830", "15012678830"),
        ("+1 (501) 267-88.30", "15012678830"),
        ("0044", "0044"),
        ("26210", "26210"),
        ("anonymous", None),
        ("sip:15012678830@example.com", None),
        ("1501x", None),
        ("12\t3", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("+", None),
        ("", None),
        (None, None),
    ],
)
def test_digits(text, expected):
    assert digits(text) == expected


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("12125550100", "USA"),
        ("14165550100", "CAN"),
        ("18765550100", "JAM"),
        ("17875550100", "PRI"),
        ("18005550100", "USA"),
        ("4915112345678", "DEU"),
        ("442079460000", "GBR"),
        ("441481123456", "GBR"),
        ("447781123456", "GGY"),
        ("79161234567", "RUS"),
        ("77012345678", "KAZ"),
        ("390669812345", "VAT"),
        ("390612345678", "ITA"),
        ("38343201234", "XKX"),
        ("88161234567", None),
        ("0123456789", None),
        ("26210", None),
        (None, None),
    ],
)
def test_country(number, country):
    assert country_of(number) == country


def test_a_number_that_is_too_long_is_still_in_its_country():
    assert country_of("44207946000099999") == "GBR"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("18005550100", True),
        ("18885550100", True),
        ("18225550100", False),
        ("12125550100", False),
        ("8005550100", False),
        ("180055501000", False),
        (None, False),
    ],
)
def test_toll_free(number, expected):
    assert is_toll_free_nanp(number) is expected


@pytest.mark.parametrize(
    ("number", "expected"), [("26210", True), ("262100", True), ("2621000", False), (None, False)]
)
def test_short_code(number, expected):
    assert is_short_code(number) is expected
