"""How an address reads: in the order of the country that the mail goes to."""

from dataclasses import replace

import pytest

from pipeline.invoice.recipients import bill_to
from tests.fixtures.billing import ACME

NAMES = {"USA": "United States", "DEU": "Germany", "GBR": "United Kingdom", "ITA": "Italy"}


@pytest.mark.parametrize(
    ("country", "city", "state", "code", "line"),
    [
        ("USA", "Austin", "TX", "78701", "Austin, TX 78701"),
        ("GBR", "Leeds", None, "LS1 5HD", "Leeds, LS1 5HD"),
        ("DEU", "Berlin", "", "10117", "10117 Berlin"),
        ("ITA", "Roma", "RM", "00144", "00144 Roma, RM"),
        ("DEU", "Berlin", None, None, "Berlin"),
    ],
    ids=["city, state, code", "city, code", "code before city", "province last", "no code"],
)
def test_the_line_of_the_city_is_written_as_its_country_writes_it(
    country: str, city: str, state: str | None, code: str | None, line: str
) -> None:
    partner = {"city": city, "state": state, "zip": code, "country_code": country}
    assert bill_to(replace(ACME, name="Acme"), partner, NAMES) == ["Acme", line, NAMES[country]]
