"""``did_prices.csv``: what phone numbers cost customers, by prefix, in marginal steps of how many they hold.

``steps`` reads like a tier's: ``0:1.00;100:0.80`` is 1.00 for each of the first hundred numbers and 0.80 for those
above. A customer's own rows come before everybody's (``*``), and these before ``did_price`` of ``customers.csv``, which
comes before the provider's own price.
"""

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from pipeline.domain.did_prices import DidPrice
from pipeline.masters.charges import Customers, currency_of, partner_of
from pipeline.masters.overlaps import refuse_overlaps
from pipeline.masters.reading import Problems, Row, csv_rows

DID_PRICE_COLUMNS = ("partner_sid", "prefix", "steps", "currency", "start", "end")
_STEP = re.compile(r"(\d{1,9}):(\d{1,9}(?:\.\d{1,10})?)")


def read_did_prices(folder: Path, customers: Customers, problems: Problems) -> tuple[DidPrice, ...]:
    """The price lists of a folder of master files; problems are noted with their lines."""
    rows = csv_rows(folder / "did_prices.csv", DID_PRICE_COLUMNS, ("partner_sid", "steps"), problems)
    read = [(row, _price(row, customers)) for row in rows]
    refuse_overlaps(
        read,
        lambda p: (p.partner_sid, p.prefix, p.currency),
        lambda a, b: True,
        "the same customer and prefix at the same time",
    )
    return tuple(price for _, price in read)


def _price(row: Row, customers: Customers) -> DidPrice:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    partner = partner_of(row, customers)
    return DidPrice(
        partner,
        row.matching("prefix", r"\d{1,15}", "digits, like 1800"),
        currency_of(row, partner, customers),
        _steps(row),
        start,
        end,
    )


def _steps(row: Row) -> tuple[tuple[int, Decimal], ...]:
    value = row.text("steps", required=True).replace(" ", "")
    matches = [_STEP.fullmatch(part) for part in value.split(";")]
    steps = [(int(match[1]), Decimal(match[2])) for match in matches if match]
    if len(steps) < len(matches) or steps[0][0] or not all(a[0] < b[0] for a, b in pairwise(steps)):
        row.wrong("steps", f"is {value!r}; valid are numbers held and a price each, like 0:1.00;100:0.80")
        return ((0, Decimal(0)),)
    return tuple(steps)
