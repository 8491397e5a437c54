"""The asset of the stage invoice, one partition per month in which periods end.

The partition says where the run is filed, not what it bills: billing takes everything that is due as of now and was
not invoiced, so that a month that was missed is never lost and one that is run twice is billed once. How an invoice
is made is in ``pipeline.invoice``. See https://docs.dagster.io/guides/build/partitions-and-backfills.
"""

from collections import Counter
from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.partitions import months
from pipeline.defs.resources import Shift
from pipeline.desk import Desk

_CHARTED_CUSTOMERS = 30


@dg.asset(
    key=["invoice", "invoices"],
    deps=[
        dg.AssetKey(key)
        for key in (["rate", "calls"], ["rate", "messages"], ["land", "partners"], ["land", "dids"])
    ],
    group_name="invoice",
    partitions_def=months,
    description=figures.about(
        "invoice/invoices", "Drafts what is due as of now, issues what needs no approval."
    ),
    kinds={"duckdb", "sqlite"},
    owners=OWNERS,
)
def invoices(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The invoices."""
    with shift.step("invoice/invoices") as desk:
        shift.reports["invoice/invoices"] = desk.invoice()
        return dg.MaterializeResult(metadata=_shown(desk))


ALL = [invoices]


def _shown(desk: Desk) -> dict[str, Any]:
    rows = desk.lake.query("""
        select coalesce(company_name, partner_sid, invoice_sid) as name, currency, amount, amount_tax, status,
            date_billing_period_end as period_end
        from invoice.invoices order by amount desc, name
    """)
    month = max((row["period_end"].strftime("%Y-%m") for row in rows), default="")
    newest = [row for row in rows if row["period_end"].strftime("%Y-%m") == month]
    parked = desk.parked()
    found: dict[str, Any] = {
        "dagster/row_count": len(rows),
        "amount": figures.money(_sums(rows, "amount")),
        "tax": figures.money(_sums(rows, "amount_tax")),
        "waiting for approval": sum(row["status"] == "reviewing" for row in rows),
        "parked": figures.table(parked),
    }
    if newest:
        currency = Counter(row["currency"] for row in newest).most_common(1)[0][0]
        shown = [(row["name"], row["amount"]) for row in newest if row["currency"] == currency]
        title = f"invoices of periods that end in {newest[0]['period_end']:%B %Y}, {currency}"
        found["per customer"] = figures.ranking(title, shown[:_CHARTED_CUSTOMERS])
    return found


def _sums(rows: list[dict[str, Any]], column: str) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row[column]
    return sums
