"""What a line of usage is to the taxes, at home or abroad; and what a page says of bundles and tiers."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.domain.period import Period
from pipeline.invoice.allowances import AllowanceUsed
from pipeline.invoice.claims import UsageLine
from pipeline.invoice.lines import allowance_note, usage_item
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


# March and April of Paris begin on the last day of the month before, by UTC
PARIS = [
    datetime(2026, 2, 28, 23, tzinfo=UTC),
    *(datetime(2026, m, d, 22, tzinfo=UTC) for m, d in ((3, 31), (4, 30))),
]
EARLIER, NOW = Period(*PARIS[:2]), Period(*PARIS[1:])


@pytest.mark.parametrize(
    ("period", "kind", "measure", "used", "currency", "note"),
    [
        (
            NOW,
            "tier",
            "money",
            "1063.1",
            "EUR",
            "Plus: priced by the volume of the period, which was 1,063.10 EUR.",
        ),
        (NOW, "tier", "money", "99.6", "JPY", "Plus: priced by the volume of the period, which was 100 JPY."),
        (
            EARLIER,
            "tier",
            "units",
            "3",
            "EUR",
            "Plus: priced by the volume of the period, which was 3 units. That was in the period from 2026-03-01 on.",
        ),
        (
            EARLIER,
            "bundle",
            "seconds",
            "90",
            "EUR",
            "Plus: 1.5 minutes used of 2 minutes included. That was in the period from 2026-03-01 on.",
        ),
    ],
    ids=["money", "money without cents", "an earlier period", "a bundle of one"],
)
def test_what_a_page_says_of_a_volume(
    period: Period, kind: str, measure: str, used: str, currency: str, note: str
) -> None:
    nothing = Decimal(0)
    drew = AllowanceUsed(
        period, kind, "plus", "Plus", measure, nothing, nothing, Decimal(used), 1, Decimal(120), ""
    )
    assert allowance_note(drew, NOW, currency, "Europe/Paris") == note
