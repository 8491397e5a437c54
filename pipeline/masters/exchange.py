"""``exchange_rates.csv``: what a unit of one currency was worth in another on a day, for reports alone.

Customers are billed and pay in their own currency, and no rate changes what they owe. All rows convert into the one
currency in which reports add up; a rate serves its own day and those after it until the next one, at most a month. What
no rate serves is shown in its own currency and not guessed.
"""

import re
from decimal import Decimal
from pathlib import Path

from pipeline.masters.model import ExchangeRate
from pipeline.masters.overlaps import unique
from pipeline.masters.reading import Problems, Row, csv_rows
from pipeline.masters.vocabulary import CURRENCIES

EXCHANGE_COLUMNS = ("date", "currency", "rate", "report_currency", "source")
_RATE = re.compile(r"(?=.*[1-9])\d{1,9}(\.\d{1,9})?")


def read_exchange_rates(folder: Path, problems: Problems) -> tuple[ExchangeRate, ...]:
    rows = csv_rows(folder / "exchange_rates.csv", EXCHANGE_COLUMNS, EXCHANGE_COLUMNS, problems)
    read = [found for row in rows if (found := _rate(row)) is not None]
    for row, rate in read[1:]:
        first, wanted = read[0][0], read[0][1].report_currency
        if rate.report_currency != wanted:
            row.wrong(
                "report_currency",
                f"is {rate.report_currency!r}, and line {first.line} says {wanted!r}; keep to one",
            )
    return tuple(unique(read, lambda rate: (rate.date, rate.currency), "the rate {key[1]} on {key[0]}"))


def _rate(row: Row) -> tuple[Row, ExchangeRate] | None:
    day, text = row.day("date"), row.text("rate", required=True)
    currency = row.choice("currency", CURRENCIES, required=True)
    into = row.choice("report_currency", CURRENCIES, required=True)
    source = row.text("source", required=True)
    if not row.text("date", required=True) or day is None or not text:
        return None
    if not _RATE.fullmatch(text):
        row.wrong(
            "rate", f"is {text!r}; valid is how many {into} one {currency} is, like 1.0837, up to 9 decimals"
        )
        return None
    if currency == into:
        row.wrong("currency", f"is {currency!r} like report_currency; that needs no rate")
    return row, ExchangeRate(day, currency, Decimal(text), into, source)
