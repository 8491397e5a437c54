"""Exchange rates are dated, into one currency, with their source; what is wrong is named by its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.files import read_masters
from pipeline.masters.model import ExchangeRate

HEADER = "date,currency,rate,report_currency,source\n"
GOOD = "2026-03-31,EUR,1.083700001,USD,ECB\n"


def write(folder: Path, rows: str) -> Path:
    (folder / "exchange_rates.csv").write_text(HEADER + rows)
    return folder


def test_a_rate_is_kept_to_its_last_decimal(tmp_path: Path) -> None:
    found = read_masters(write(tmp_path, GOOD)).exchange_rates
    assert found == (ExchangeRate(date(2026, 3, 31), "EUR", Decimal("1.083700001"), "USD", "ECB"),)


WRONG = {
    "no date": (",EUR,1,USD,ECB\n", "exchange_rates.csv:2: date is empty; it is required"),
    "no rate": (
        "2026-03-31,EUR,0,USD,ECB\n",
        "exchange_rates.csv:2: rate is '0'; valid is how many USD one EUR is",
    ),
    "a comma": ('2026-03-31,EUR,"1,08",USD,ECB\n', "exchange_rates.csv:2: rate is '1,08'"),
    "itself": ("2026-03-31,USD,1,USD,ECB\n", "exchange_rates.csv:2: currency is 'USD' like report_currency"),
    "no source": ("2026-03-31,EUR,1,USD,\n", "exchange_rates.csv:2: source is empty; it is required"),
    "two report currencies": (
        GOOD + "2026-03-31,GBP,1,EUR,ECB\n",
        "exchange_rates.csv:3: report_currency is 'EUR'",
    ),
    "twice": (GOOD + GOOD, "exchange_rates.csv:3: the rate EUR on 2026-03-31 is already on line 2"),
}


@pytest.mark.parametrize(("rows", "wrong"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, rows: str, wrong: str) -> None:
    with pytest.raises(MasterError) as told:
        read_masters(write(tmp_path, rows))
    assert wrong in str(told.value)
