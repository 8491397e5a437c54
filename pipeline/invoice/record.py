"""Puts on record what a run has worked out: drafts with their items and taxes, and who is parked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.invoice import totals
from pipeline.invoice.books import Holder, balances
from pipeline.invoice.draft import Draft
from pipeline.invoice.due import USAGE
from pipeline.ledger.schema import invoice_items, invoice_taxes, invoices, parked
from pipeline.ledger.taxes import tax_values

REVIEWING = "reviewing"


@dataclass(frozen=True, slots=True)
class Parked:
    """A customer that is set aside."""

    partner_sid: str
    seller: str
    name: str
    reason: str


def insert_draft(tx: Connection, drafted: Draft, now: datetime) -> None:
    """Adds a draft as ``reviewing``, with the balances of this moment; issuing fixes them anew."""
    due, customer = drafted.due, drafted.due.account.customer
    holder = Holder(customer.partner_sid, customer.seller, customer.currency)
    previous, payments = balances(tx, holder)
    sums = totals(
        drafted.items,
        drafted.taxes,
        balance_previous=previous,
        payments=payments,
        currency=customer.currency,
    )
    row = {
        "invoice_sid": due.invoice_sid,
        "seller": customer.seller,
        "partner_sid": customer.partner_sid,
        "kind": USAGE,
        "status": REVIEWING,
        "currency": customer.currency,
        "period_start": due.period.start,
        "period_end": due.period.end,
        "amount": sums.amount,
        "amount_tax": sums.amount_tax,
        "balance_previous": sums.balance_previous,
        "payments": sums.payments,
        "amount_due": sums.amount_due,
        "balance_forward": sums.balance_forward,
        "date_created": now,
        "snapshot": drafted.snapshot,
    }
    tx.execute(invoices.insert(), row)
    tx.execute(invoice_items.insert(), _item_rows(drafted))
    if drafted.taxes:
        tx.execute(invoice_taxes.insert(), _tax_rows(drafted))


def _item_rows(drafted: Draft) -> list[dict[str, Any]]:
    return [
        {
            "invoice_sid": drafted.due.invoice_sid,
            "line_no": number,
            "type": item.type,
            "direction": item.direction,
            "country_code": item.country_code,
            "description": item.description,
            "usage": item.usage,
            "records": item.records,
            "amount_exact": item.amount_exact,
            "amount": item.amount,
            "period_start": item.period.start,
            "period_end": item.period.end,
            "detail": json.dumps(dict(item.detail), sort_keys=True),
        }
        for number, item in enumerate(drafted.items, start=1)
    ]


def _tax_rows(drafted: Draft) -> list[dict[str, Any]]:
    return [
        tax_values(tax) | {"invoice_sid": drafted.due.invoice_sid, "line_no": number}
        for number, tax in enumerate(drafted.taxes, start=1)
    ]


def invoice_row(tx: Connection, invoice_sid: str) -> Any:
    """The ledger's row of an invoice."""
    return tx.execute(invoices.select().where(invoices.c.invoice_sid == invoice_sid)).one()


def park(tx: Connection, found: Iterable[Parked], now: datetime) -> None:
    """Sets these customers aside and frees all others; who stays parked keeps the day it began."""
    since = {(row.partner_sid, row.seller): row.since for row in tx.execute(parked.select())}
    tx.execute(parked.delete())
    for p in found:
        tx.execute(
            parked.insert(),
            {
                "partner_sid": p.partner_sid,
                "seller": p.seller,
                "reason": p.reason,
                "since": since.get((p.partner_sid, p.seller), now),
            },
        )
