"""The file beside an invoice that says what stands behind the lines without calls or messages: every number that is
rented, every charge, what is discounted by which line, every use. It adds up to those lines before their rounding.
"""

import io
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.domain.masking import OFF, masked_text
from pipeline.domain.money import plain
from pipeline.lake.export import write_csv
from pipeline.lake.lake import Lake

_COLUMNS = (
    *("line", "kind", "what", "first_day", "last_day", "quantity", "price", "days", "of_days", "of_line"),
    *("amount", "currency", "key"),
)


def charges_csv(lake: Lake, invoice_sid: str, currency: str, mask: str = OFF) -> bytes | None:
    """The file's content; None where the invoice has no such line. Numbers are masked where the home says so."""
    parts = lake.scan("invoice/parts", [invoice_sid]).filter(pl.col("line_no") > 0).sort("part_no").collect()
    if parts.is_empty():
        return None
    content = io.StringIO()
    write_csv(content, _COLUMNS, (_cells(part, currency, mask) for part in parts.iter_rows(named=True)))
    return content.getvalue().encode()


def _cells(part: Mapping[str, Any], currency: str, mask: str) -> list[Any]:
    price = part["price"]
    return [
        *(
            part["line_no"],
            part["kind"],
            masked_text(part["what"], mask),
            part["first_day"],
            part["last_day"],
        ),
        *(plain(part["quantity"]), None if price is None else plain(price), part["days"], part["of_days"]),
        *(part["of_line_no"], f"{part['amount']:f}", currency, masked_text(part["key"], mask)),
    ]
