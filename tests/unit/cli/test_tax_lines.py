"""How a tax was found is told with its base, rate, rule and source, whatever it was found by."""

from decimal import Decimal

import pytest

from pipeline.cli.explain import tax_line

# base, rate, per, amount, method -> what is said
LINES = [
    ("3.28", "0.376", "", "1.23", "percent", "37.6 % of 3.28 = 1.23"),
    ("3", "0.75", "number", "2.25", "fixed", "3 x 0.75 per number = 2.25"),
    ("3.28", "0.10", "", "5.00", "minimum", "10 % of 3.28 = 5.00, the least that is due"),
    ("99", "0.10", "", "5.00", "maximum", "10 % of 99.00 = 5.00, the most that is due"),
    ("99", "0", "", "0.00", "reverse_charge", "0 % of 99.00 = 0.00, the recipient owes it"),
]


@pytest.mark.parametrize(
    ("base", "rate", "per", "amount", "method", "said"), LINES, ids=[x[5] for x in LINES]
)
def test_how_a_tax_was_found(base: str, rate: str, per: str, amount: str, method: str, said: str) -> None:
    tax = {"name": "Fund", "rule": "us-fund", "legal_source": "the law", "per": per, "method": method}
    money = {"base": Decimal(base), "rate": Decimal(rate), "amount": Decimal(amount)}
    assert tax_line(tax | money) == f"Fund: {said}  (us-fund: the law)"
