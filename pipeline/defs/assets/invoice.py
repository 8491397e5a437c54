"""The asset of the stage invoice, one partition per month in which periods end.

The partition says where the run is filed, not what it bills: billing takes everything that is due as of now and was
not invoiced, so that a month that was missed is never lost and one that is run twice is billed once. How an invoice
is made is in ``pipeline.invoice``. See https://docs.dagster.io/guides/build/partitions-and-backfills.
"""

from typing import Any

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.partitions import months
from pipeline.defs.resources import Shift
from pipeline.desk import Desk
from pipeline.lake.tables import BY_NAME

_CHARTED_CUSTOMERS = 16


@dg.asset(
    key=["invoice", "invoices"],
    deps=[
        dg.AssetKey(key)
        for key in (["rate", "calls"], ["rate", "messages"], ["land", "partners"], ["land", "dids"])
    ],
    group_name="invoice",
    partitions_def=months,
    description=f"{BY_NAME['invoice/invoices'].grain}. Drafts what is due as of now, issues what needs no approval.",
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
        select company_name, currency, amount, amount_tax, status, date_billing_period_end as period_end
        from invoice.invoices order by period_end desc, amount desc
    """)
    newest = [row for row in rows if row["period_end"].date() >= rows[0]["period_end"].date().replace(day=1)]
    parked = desk.parked()
    found: dict[str, Any] = {
        "dagster/row_count": len(rows),
        "amount": figures.money(_sums(rows, "amount")),
        "tax": figures.money(_sums(rows, "amount_tax")),
        "waiting for approval": sum(row["status"] == "reviewing" for row in rows),
        "parked": figures.table(parked),
    }
    if newest:
        shown = newest[:_CHARTED_CUSTOMERS]
        labels = [(row["company_name"] or "?")[:9] for row in shown]
        title = f"invoiced per customer, periods that end in {rows[0]['period_end']:%B %Y}, {shown[0]['currency']}"
        found["per customer"] = figures.chart(
            title, labels, [("amount", figures.BLUE, [r["amount"] for r in shown])]
        )
    return found


def _sums(rows: list[dict[str, Any]], column: str) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row[column]
    return sums
