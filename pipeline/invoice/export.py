"""Copies of the ledger's rows in the lake, for everybody who asks in SQL.

The ledger stays the place of record. A copy is written anew only when its rows have changed; a crash between the
ledger and its copy is mended by whatever runs next.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, select

from pipeline.invoice.books import RECEIVABLE
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import (
    adjustment_batches,
    adjustment_claims,
    adjustments,
    dispute_lines,
    disputes,
    entries,
    invoice_items,
    invoice_taxes,
    invoices,
)

LABEL = "all"
Row = dict[str, Any]


def export(lake: Lake, ledger: Ledger, *, at: datetime, accounts: list[Row] | None = None) -> list[str]:
    """Brings the copies up to the ledger; the names of those that changed. ``accounts`` are the rows of
    invoice/accounts, where the caller has just worked them out."""
    # Within one write transaction: no other process can put older rows over newer ones.
    with ledger.transaction() as tx:
        wanted = {name: rows(tx) for name, rows in _COPIES.items()}
        if accounts is not None:
            wanted["invoice/accounts"] = accounts
        staged = [s for name, rows in wanted.items() if (s := _stage(lake, name, rows)) is not None]
        if staged:
            lake.commit(tx, staged, at=at, stage="invoice", note="copies of the ledger")
    return [s.table for s in staged]


def invoice_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/invoices."""
    query = invoices.select().order_by(invoices.c.date_created, invoices.c.invoice_sid)
    return [
        {name: value for name, value in row.items() if name in _KEPT}
        | {
            "company_name": json.loads(row["snapshot"])["customer"]["name"],
            "date_billing_period_start": row["period_start"],
            "date_billing_period_end": row["period_end"],
        }
        for row in tx.execute(query).mappings()
    ]


def item_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/items."""
    query = invoice_items.select().order_by(invoice_items.c.invoice_sid, invoice_items.c.line_no)
    return [
        _without(row, "period_start", "period_end", "detail")
        | {"date_billing_period_start": row["period_start"], "date_billing_period_end": row["period_end"]}
        for row in tx.execute(query).mappings()
    ]


def tax_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/taxes."""
    query = invoice_taxes.select().order_by(invoice_taxes.c.invoice_sid, invoice_taxes.c.line_no)
    return [
        _without(row, "detail") | {"per": json.loads(row["detail"]).get("per", "")}
        for row in tx.execute(query).mappings()
    ]


def payment_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/payments."""
    query = entries.select().where(entries.c.account == RECEIVABLE, entries.c.kind != "invoice")
    found = tx.execute(query.order_by(entries.c.entry_id)).mappings()
    return [_without(row, "txn_id", "account", "seller") for row in found]


def adjustment_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/adjustments."""
    taken = adjustment_claims.c
    query = (
        select(adjustments, taken.invoice_sid, taken.line_no)
        .add_columns(*(adjustment_batches.c[name] for name in ("kind", "at", "by", "reason")))
        .join(adjustment_batches, adjustment_batches.c.batch_sid == adjustments.c.batch_sid)
        .outerjoin(adjustment_claims, taken.adjustment_id == adjustments.c.adjustment_id)
        .order_by(adjustments.c.adjustment_id)
    )
    return [_without(row, "period_start", "period_end") for row in tx.execute(query).mappings()]


def entry_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/entries."""
    return [dict(row) for row in tx.execute(entries.select().order_by(entries.c.entry_id)).mappings()]


def dispute_rows(tx: Connection) -> list[Row]:
    """The rows of invoice/disputes."""
    joined = disputes.join(dispute_lines, disputes.c.dispute_sid == dispute_lines.c.dispute_sid)
    query = select(disputes, dispute_lines.c.line_no, dispute_lines.c.amount).select_from(joined)
    ordered = query.order_by(disputes.c.opened_at, disputes.c.dispute_sid, dispute_lines.c.line_no)
    return [dict(row) for row in tx.execute(ordered).mappings()]


def as_table(name: str, rows: list[Row]) -> pa.Table:
    """Rows as the lake's table of this name."""
    return pa.Table.from_pylist(rows, schema=BY_NAME[name].schema)


_KEPT = {name for name, _, _ in BY_NAME["invoice/invoices"].columns}
_COPIES: dict[str, Callable[[Connection], list[Row]]] = {
    "invoice/invoices": invoice_rows,
    "invoice/items": item_rows,
    "invoice/taxes": tax_rows,
    "invoice/payments": payment_rows,
    "invoice/entries": entry_rows,
    "invoice/disputes": dispute_rows,
    "invoice/adjustments": adjustment_rows,
}


def _stage(lake: Lake, name: str, rows: list[Row]) -> Staged | None:
    inputs = hashlib.sha256(repr(rows).encode()).hexdigest()
    if any(f.inputs == inputs for f in lake.files(name, [LABEL])):
        return None
    return lake.stage(name, LABEL, as_table(name, rows), inputs)


def _without(row: Mapping[Any, Any], *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}
