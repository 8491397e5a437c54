"""A tax of an invoice as the ledger holds it: the columns that people ask for, and the rest of how it was found."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.domain.invoice import TaxItem

_COLUMNS = ("rule", "name", "jurisdiction", "type", "base", "rate", "amount", "legal_source", "method")


def tax_values(tax: TaxItem) -> dict[str, Any]:
    """The columns of a row of ``invoice_taxes`` that are the tax's own."""
    detail = {"per": tax.per, "lines": list(tax.lines), "on": list(tax.on), "share": f"{tax.share:f}"}
    return {name: getattr(tax, name) for name in _COLUMNS} | {"detail": json.dumps(detail, sort_keys=True)}


def tax_of(row: Mapping[str, Any]) -> TaxItem:
    """The tax of a row; what an earlier release did not write is what it then was."""
    detail = json.loads(row["detail"])
    return TaxItem(
        **{name: row[name] for name in _COLUMNS},
        per=detail.get("per", ""),
        lines=tuple(detail.get("lines", ())),
        on=tuple(detail.get("on", ())),
        share=Decimal(detail.get("share", "1")),
    )
