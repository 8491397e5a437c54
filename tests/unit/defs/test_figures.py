"""Figures as they look on Dagster's pages."""

import base64
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from pipeline.defs import figures


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ({}, "none"),
        ({"USD": Decimal("1204.1")}, "1,204.10 USD"),
        ({"USD": Decimal(1), "EUR": Decimal("-0.005")}, "-0.00 EUR, 1.00 USD"),
    ],
)
def test_money_is_text_with_its_currency(amounts: dict[str, Decimal], text: str) -> None:
    assert figures.money(amounts) == text


def test_a_table_keeps_its_columns_whatever_a_cell_holds() -> None:
    made = figures.table([{"name": "a|b", "note": None}, {"name": "c\nd", "note": "1"}], most=1)

    assert made.value == "name | note\n--- | ---\na\\|b | \n... and 1 more"


def test_numbers_stand_to_the_right_with_every_digit_that_says_something() -> None:
    rows = [
        {"what": "taxes", "money": Decimal("1022.0000000000")},
        {"what": "calls", "money": Decimal("0.0839")},
    ]

    assert figures.table(rows).value == "what | money\n--- | ---:\ntaxes | 1,022.00\ncalls | 0.0839"


def test_a_chart_is_one_picture_that_needs_no_other_file() -> None:
    made = figures.chart("calls <per> hour", ["01", "02"], [("calls", figures.BLUE, [3, Decimal("1.5")])])
    picture = base64.b64decode(made.value.split("base64,")[1].rstrip(")"))
    svg = ET.fromstring(picture)

    heights = [float(r.get("height")) for r in svg.iter("{http://www.w3.org/2000/svg}rect") if len(r)]
    assert heights == [166.0, 83.0]
    assert "calls <per> hour" in [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]


def test_a_ranking_draws_a_bar_as_long_as_its_amount_and_none_for_a_credit() -> None:
    rows = [("Acme & Sons", Decimal("20.00")), ("Boreal", Decimal("10.00")), ("Credit", Decimal(-5))]
    svg = ET.fromstring(figures.bars_svg("per customer", rows))

    widths = [r.get("width") for r in svg.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths == ["100%", "410.0", "205.0", "0.0"]


def test_a_chart_of_nothing_is_still_a_picture() -> None:
    assert ET.fromstring(figures.columns_svg("nothing", [], [])).tag.endswith("svg")
