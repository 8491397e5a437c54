"""The table of places, and what a number's first digits say. What comes of two numbers is in tests/spec."""

from importlib.metadata import version

import pytest

from pipeline.domain.jurisdiction import PLACES, Place, number_head, place_of


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+1 201-200-0100", Place("US-NJ", "Jersey City")),
        ("12125550100", Place("US-NY", "New York")),
        ("12025550100", Place("US-DC", None)),
        ("12035550100", Place("US-CT", None)),
        ("17875550100", Place("US-PR", None)),
        ("14165550100", Place("CAN", None)),
        ("442079460000", Place("GBR", None)),
        ("18005550100", None),
        ("0015550100", None),
        ("121255501001", None),
        ("911", None),
        ("anonymous", None),
        (None, None),
    ],
)
def test_where_a_number_is(number, place):
    assert place_of(number_head(number)) == place


def test_every_state_has_its_area_codes():
    regions = {place.region for n in range(200, 1000) if (place := place_of(f"1{n}555"))}
    states = {region for region in regions if region.startswith("US-")}

    assert len(states) == 50 + 1 + 5  # the states, the capital and the territories


def test_the_table_is_of_the_package_that_is_installed():
    head = PLACES.read_text(encoding="utf-8").split("\n", 3)[2]

    assert head.endswith(f"phonenumbers {version('phonenumbers')}"), "run: python -m tests.fixtures.places"
