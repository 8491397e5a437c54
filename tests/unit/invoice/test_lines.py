"""What a line of usage is to the taxes: at home or abroad."""

from decimal import Decimal

import pytest

from pipeline.invoice.claims import UsageLine
from pipeline.invoice.lines import usage_item
from tests.unit.invoice.test_charges import MARCH


@pytest.mark.parametrize(
    ("item_type", "direction", "country", "abroad"),
    [
        ("toll", "outbound", None, True),
        ("toll", "outbound", "DEU", False),
        ("toll", "inbound", None, False),
        ("sms", "outbound", None, False),
    ],
    ids=["satellites", "its country says it", "a caller without number", "short codes"],
)
def test_a_call_to_a_number_of_no_country_is_abroad(
    item_type: str, direction: str, country: str | None, abroad: bool
) -> None:
    line = UsageLine(False, item_type, direction, country, MARCH, 1, Decimal(60), Decimal("6.25"))
    assert usage_item(line, MARCH, "USD", {}).abroad is abroad
