"""What is owed, in each currency and in that of the reports; what no rate serves today is not guessed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.masters.model import ExchangeRate
from pipeline.measure.exchange import TABLE, exchange_rows, export_exchange_rates
from tests.fixtures.billing import ACME, BOREAL, NOW, Desk, masters

TODAY = datetime.now(UTC).date()
MARCH = date(2026, 3, 1)


def rate(day: date, value: str, currency: str = "EUR") -> ExchangeRate:
    return ExchangeRate(day, currency, Decimal(value), "USD", "the central bank")


@pytest.fixture(scope="module")
def owed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Acme owes 10.00 USD, Boreal 3.33 EUR, since March."""
    home = tmp_path_factory.mktemp("owed")
    desk = Desk(home, masters(ACME, replace(BOREAL, currency="EUR")))
    other = {"payer_sid": "boreal", "partner_sid": "boreal", "currency": "EUR"}
    desk.call("a", "10").call("b", "3.33", **other).commit().bill()
    return desk


# the rates -> what the 10.00 USD and the 3.33 EUR are in the currency of the reports
RATES = {
    "of today": ([rate(TODAY, "1.0837")], ("10.00", "3.61")),
    "of the first day of the month that it serves": ([rate(TODAY - timedelta(30), "2")], ("10.00", "6.66")),
    "too old": ([rate(TODAY - timedelta(31), "2")], ("10.00", None)),
    "of tomorrow": ([rate(TODAY + timedelta(1), "2")], ("10.00", None)),
    "the newest of two": ([rate(TODAY, "3"), rate(TODAY - timedelta(1), "2")], ("10.00", "9.99")),
    "of another currency": ([rate(TODAY, "2", "GBP")], ("10.00", None)),
    "none": ([], (None, None)),
}


@pytest.mark.parametrize(("rates", "amounts"), RATES.values(), ids=RATES)
def test_what_is_owed_in_the_currency_of_the_reports(owed: Desk, rates: list, amounts: tuple) -> None:
    owed.put(TABLE, exchange_rows(rates))
    found = owed.rows(
        "select currency, open_amount, debts, report_amount from measure.receivables order by currency desc"
    )
    wanted = [None if amount is None else Decimal(amount) for amount in amounts]
    assert found == [("USD", Decimal("10.00"), 1, wanted[0]), ("EUR", Decimal("3.33"), 1, wanted[1])]


# rates of March -> (from, up to) of each, in days of March
SERVED = {
    "up to the next one": ([1, 11], [(1, 11), (11, 42)]),
    "at most a month": ([1, 40], [(1, 32), (40, 71)]),
    "in any order": ([11, 1], [(1, 11), (11, 42)]),
}


@pytest.mark.parametrize(("days", "served"), SERVED.values(), ids=SERVED)
def test_the_days_that_a_rate_serves(days: list[int], served: list[tuple[int, int]]) -> None:
    rows = exchange_rows([rate(MARCH + timedelta(n - 1), "1.1") for n in days])
    own = [
        ((r["date"] - MARCH).days + 1, (r["until"] - MARCH).days + 1) for r in rows if r["currency"] == "EUR"
    ]
    assert own == served


def test_the_copy_follows_the_masters_and_is_written_only_then(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for rates, files in (([], 0), ([rate(MARCH, "1")], 1), ([rate(MARCH, "1")], 1), ([], 2)):
        export_exchange_rates(desk.lake, desk.ledger, rates, at=NOW)
        with desk.ledger.read() as tx:
            count = tx.exec_driver_sql(f"select count(*) from files where table_name = '{TABLE}'").scalar()
        assert count == files
