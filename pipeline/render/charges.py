"""The file beside an invoice that says what stands behind the lines without calls or messages: every number that is
rented, every charge, what is discounted by which line, every use. It adds up to those lines before their rounding.
Numbers look as they do in the call detail.
"""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.domain.masking import OFF, masked, masked_text
from pipeline.domain.money import plain
from pipeline.lake.export import write_csv
from pipeline.lake.lake import Lake

_COLUMNS = (
    *("line", "kind", "what", "first_day", "last_day", "quantity", "price", "days", "of_days", "of_line"),
    *("amount", "currency", "key"),
)
# The kinds of parts that name a number, which stands here as the provider writes it: bare digits.
_NUMBERED = re.compile(r"number|did_lookup_.+")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


def read_parts(lake: Lake, invoice_sids: Sequence[str]) -> dict[str, pl.DataFrame]:
    """What stands behind such lines, of each of these invoices that has any."""
    parts = lake.scan("invoice/parts", invoice_sids).filter(pl.col("line_no") > 0).sort("part_no").collect()
    return {str(sid): own for (sid,), own in parts.partition_by("invoice_sid", as_dict=True).items()}


def charges_csv(parts: pl.DataFrame, currency: str, mask: str = OFF) -> bytes:
    """The file's content. Numbers are masked where the home says so."""
    content = io.StringIO()
    write_csv(content, _COLUMNS, (_cells(part, currency, mask) for part in parts.iter_rows(named=True)))
    return content.getvalue().encode()


def _cells(part: Mapping[str, Any], currency: str, mask: str) -> list[Any]:
    price = part["price"]
    return [
        *(
            part["line_no"],
            part["kind"],
            _what(part, mask),
            part["first_day"],
            part["last_day"],
        ),
        *(plain(part["quantity"]), None if price is None else plain(price), part["days"], part["of_days"]),
        *(part["of_line_no"], f"{part['amount']:f}", currency, masked_text(part["key"], mask)),
    ]


def _what(part: Mapping[str, Any], mask: str) -> str:
    what = str(part["what"])
    if not (_NUMBERED.fullmatch(part["kind"]) and _DIGITS.fullmatch(what)):
        return masked_text(what, mask)
    return f"+{what}" if mask == OFF else masked(what, mask)
