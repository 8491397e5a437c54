"""The doctor says a month ahead which tax runs out, and for how many customers."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipeline import doctor
from tests.fixtures.billing import ACME, BOREAL, SALES_TAX, masters

QUARTER = replace(SALES_TAX, rule="fund", rate=Decimal("0.37"), start=date(2026, 4, 1), end=date(2026, 7, 1))
GAP = (
    "the tax rule fund ends on 2026-07-01 and nothing follows it: add its next row to taxes.csv, with rate 0 if the "
    "tax is gone (2 customers)"
)
# today -> what is found, how bad it is, what follows
DAYS = {
    "long before": (date(2026, 5, 31), ("known for every customer up to 2026-06-30", "good", "")),
    "a month before": (date(2026, 6, 1), (GAP, "warn", "their invoices wait for it from 2026-07-01 on")),
    "on the day": (date(2026, 7, 1), (GAP, "warn", "until then their invoices wait")),
}


@pytest.mark.parametrize(("today", "found"), DAYS.values(), ids=DAYS)
def test_a_tax_that_runs_out_is_said_a_month_ahead(today: date, found: tuple[str, str, str]) -> None:
    (finding,) = doctor._taxes(masters(ACME, BOREAL, taxes=(QUARTER,)), today)
    assert (finding.found, finding.grade, finding.remedy) == found
