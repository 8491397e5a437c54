"""Where 64 bits are just enough and where they are not: both sides of the border are exact."""

from decimal import Decimal

import pytest

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.masters.model import Assignment
from tests.spec.engines import Case, call, connection, fast, reference

# 2^62 / 1e12 / 86,401: the longest call in seconds and one increment more.
BORDER = Decimal("53.37")


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.mark.parametrize(
    ("price", "increment", "kind"),
    [
        (BORDER, "1", "BIGINT"),
        (BORDER + Decimal("0.01"), "1", "HUGEINT"),
        (BORDER / 1000, "0.001", "BIGINT"),
        (Decimal("0.0534"), "0.001", "HUGEINT"),
        (-BORDER, "1", "BIGINT"),
        (Decimal("9999999999.999999999999"), "60", "HUGEINT"),
    ],
)
def test_the_longest_call_at_the_highest_price_is_exact(con, price, increment, kind):
    rate = Rate(price, "44", increment=Decimal(increment), minimum=Decimal(0), unit=Decimal(increment))
    plan = RatePlan("plan", "v1", "call", "USD", rates=(rate,))
    case = Case([plan], [Assignment("*", "plan")])
    calls = [call(seconds, "441", seconds) for seconds in ("86400", "86399.999", "0.001", "59")]

    assert fast(case, "call", calls, con) == reference(case, "call", calls)
    assert con.execute("select any_value(typeof(price_e12)) from terms where term_id > 0").fetchall() == [
        (kind,)
    ]
