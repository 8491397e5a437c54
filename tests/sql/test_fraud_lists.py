"""The lists of risky ranges and calling codes agree with the numbering plans that libphonenumber knows."""

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from pipeline.domain.countries import ALPHA_3
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger, sqlite_url


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("lists")
    return Lake(folder, Ledger.open(sqlite_url(folder / "ledger.db")))


def kinds_under(prefix: str) -> set[int]:
    """The kinds of the valid numbers among some that begin so."""
    chance = random.Random(prefix)
    found = set()
    for _ in range(60):
        length = chance.randint(max(7, len(prefix) + 2), 13)
        number = phonenumbers.parse(
            "+" + prefix + "".join(chance.choices("0123456789", k=length - len(prefix)))
        )
        if phonenumbers.is_valid_number(number):
            found.add(phonenumbers.number_type(number))
    return found


def test_premium_rate_ranges_hold_nothing_else(lake: Lake) -> None:
    rows = lake.query("from measure.risky_ranges where what = 'premium_rate'")
    wrong = [row["prefix"] for row in rows if kinds_under(row["prefix"]) - {PhoneNumberType.PREMIUM_RATE}]

    assert (wrong, len(rows) > 100) == ([], True)


def test_a_prefix_is_listed_once_and_an_area_tells_it(lake: Lake) -> None:
    for view in ("risky_ranges", "calling_codes"):
        [row] = lake.query(
            f"select count(*) - count(distinct prefix) as twice, max(length(prefix)) as longest from measure.{view}"
        )
        assert (row["twice"], row["longest"] <= 6) == (0, True)


def test_every_country_s_own_numbers_are_in_it(lake: Lake) -> None:
    codes = {row["prefix"]: row["country_code"] for row in lake.query("from measure.calling_codes")}
    shared = {
        "GGY",
        "IMN",
        "JEY",
        "ALA",
        "SJM",
        "VAT",
        "BLM",
        "MAF",
        "MYT",
        "ESH",
        "CCK",
        "CXR",
        "TAN",
        "ASC",
        "BES",
    }
    wrong = {}
    for region, country in ALPHA_3.items():
        number = phonenumbers.example_number(region)
        if number is None or country in shared:
            continue
        digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
        told = next((codes[digits[:n]] for n in range(6, 0, -1) if digits[:n] in codes), None)
        if told != country and region not in ("TA", "AC"):
            wrong[region] = told

    assert wrong == {}
