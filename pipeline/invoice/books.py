"""The double entry of every account: what is owed, and why.

Each transaction's rows sum to zero. ``receivable`` is what customers owe us; its sum over an account is the account's
balance, positive when the customer owes. Rows are added and never changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from pipeline.domain.money import add, to_minor
from pipeline.invoice.due import Account
from pipeline.ledger.schema import entries

RECEIVABLE, REVENUE, TAX, OPENING, CASH = "receivable", "revenue", "tax", "opening", "cash"
BAD_DEBT = "bad_debt"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose account is booked on: a partner's with a seller, in one currency."""

    partner_sid: str
    seller: str
    currency: str


@dataclass(frozen=True, slots=True)
class Booking:
    """One transaction: its id, what it is, and its rows as (account, amount)."""

    txn_id: str
    kind: str
    rows: tuple[tuple[str, Decimal], ...]
    invoice_sid: str | None = None
    note: str = ""
    by: str = ""


def book(tx: Connection, holder: Holder, booking: Booking, at: datetime) -> None:
    """Adds one transaction.

    Raises:
        ValueError: its rows do not sum to zero.
    """
    if add(amount for _, amount in booking.rows) != 0:
        msg = f"{booking.txn_id} does not sum to zero: {booking.rows}"
        raise ValueError(msg)
    common = {
        "txn_id": booking.txn_id,
        "at": at,
        "partner_sid": holder.partner_sid,
        "seller": holder.seller,
        "kind": booking.kind,
        "currency": holder.currency,
        "invoice_sid": booking.invoice_sid,
        "note": booking.note,
        "by": booking.by,
    }
    for account, amount in booking.rows:
        tx.execute(entries.insert(), common | {"account": account, "amount": amount})


def book_invoice(
    tx: Connection,
    holder: Holder,
    invoice_sid: str,
    *,
    amount: Decimal,
    amount_tax: Decimal,
    by: str,
    at: datetime,
) -> None:
    """An issued invoice: the customer owes its lines and taxes."""
    rows = [(RECEIVABLE, add((amount, amount_tax))), (REVENUE, -amount)]
    if amount_tax:
        rows.append((TAX, -amount_tax))
    book(tx, holder, Booking(f"invoice:{invoice_sid}", "invoice", tuple(rows), invoice_sid, by=by), at)


def book_opening(tx: Connection, held: Iterable[Account], at: datetime) -> list[str]:
    """Books the opening balance of each account that has one, once; where the master file says another amount by
    now, what is booked stays, and a sentence says so."""
    booked = {
        row.txn_id: row.amount
        for row in tx.execute(
            entries.select().where(entries.c.kind == "opening", entries.c.account == RECEIVABLE)
        )
    }
    warnings = []
    for account in held:
        customer = account.customer
        txn_id = f"opening:{account.seller.key}:{customer.partner_sid}"
        wanted = to_minor(customer.opening_balance, customer.currency)
        known = booked.get(txn_id)
        if known is None and wanted:
            holder = Holder(customer.partner_sid, account.seller.key, customer.currency)
            rows = ((RECEIVABLE, wanted), (OPENING, -wanted))
            book(tx, holder, Booking(txn_id, "opening", rows, note="balance taken over"), at)
        elif known is not None and known != wanted:
            warnings.append(
                f"{customer.name}: the opening balance {known} is booked and stays, customers.csv says {wanted}. "
                "Correct it with `tollbook pay` or `tollbook credit`."
            )
    return warnings


def balances(tx: Connection, holder: Holder) -> tuple[Decimal, Decimal]:
    """``(balance_previous, payments)`` for the next invoice: the account as its last issued invoice left it (with
    the opening balance), and what has been paid or credited since; both in the contract's signs."""
    rows = receivables(tx, holder)
    last = max((row.entry_id for row in rows if row.kind == "invoice"), default=0)
    before = [row.amount for row in rows if row.entry_id <= last or row.kind == "opening"]
    since = [-row.amount for row in rows if row.entry_id > last and row.kind != "opening"]
    return to_minor(add(before), holder.currency), to_minor(add(since), holder.currency)


def receivables(tx: Connection, holder: Holder) -> list:
    """The rows of an account's receivable, in the order in which they were booked."""
    query = entries.select().where(
        entries.c.account == RECEIVABLE,
        entries.c.partner_sid == holder.partner_sid,
        entries.c.seller == holder.seller,
        entries.c.currency == holder.currency,
    )
    return list(tx.execute(query.order_by(entries.c.entry_id)))
