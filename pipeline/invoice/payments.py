"""Money that comes in and goes out on a customer's account, each a transaction of the double entry.

A payment lowers what is owed, a refund or a charge-back raises it again, a write-off gives an invoice up. What came in
settles the oldest debt first. Each row of a bank's list counts once, however often the list is read, and a row that
names no invoice is left for a person. A row is booked when it is read, so that no month that was closed changes; the
bank's date goes before the reference in its note.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.invoice_status import UNCOLLECTABLE
from pipeline.domain.money import add, to_minor
from pipeline.errors import GateError
from pipeline.invoice.banklist import BankLayout, BankRow, bank_rows, named
from pipeline.invoice.books import BAD_DEBT, CASH, RECEIVABLE, Booking, Holder, book, receivables
from pipeline.invoice.export import export
from pipeline.invoice.issue import CHARGE_BACK, find_invoice, move, on_record, settle
from pipeline.invoice.record import invoice_row
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import entries, invoices

PAYMENT, REFUND, WRITE_OFF = "payment", "refund", "write_off"
# What each kind does to what is owed, and the account on the other side.
KINDS = {
    PAYMENT: (-1, CASH),
    REFUND: (1, CASH),
    CHARGE_BACK: (1, CASH),
    WRITE_OFF: (-1, BAD_DEBT),
}
_SQUEEZED = str.maketrans("", "", " -./")


@dataclass(frozen=True, slots=True)
class Paid:
    """Money on record: what it leaves owed, and the numbers of the invoices that it settled."""

    txn_id: str
    partner_sid: str
    balance: Decimal
    currency: str
    settled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BankReport:
    """What became of a bank's list: booked, known from before, and left for a person."""

    booked: tuple[Paid, ...] = ()
    known: int = 0
    left: tuple[BankRow, ...] = ()


def pay(
    lake: Lake,
    ledger: Ledger,
    who: str,
    amount: Decimal,
    *,
    by: str,
    now: datetime,
    note: str = "",
    kind: str = PAYMENT,
) -> Paid:
    """Records money on the account of an invoice (number or invoice_sid) or of a partner_sid.

    ``kind`` is one of ``KINDS``; a write-off names an invoice, and makes it uncollectable.

    Raises:
        GateError: no such invoice or account, or an amount that is not positive and in whole minor units.
    """
    with ledger.transaction() as tx:
        holder, invoice_sid = _holder(tx, who)
        _check_amount(amount, holder.currency)
        last = tx.execute(entries.select().order_by(entries.c.entry_id.desc()).limit(1)).one_or_none()
        txn_id = f"{kind}:{last.entry_id + 1 if last else 1}"
        if kind == WRITE_OFF:
            _give_up(tx, who, invoice_sid, by, note, now)
        paid = _record(tx, holder, Booking(txn_id, kind, _rows(kind, amount), invoice_sid, note, by), now)
    export(lake, ledger, at=now)
    return paid


def read_bank(
    lake: Lake,
    ledger: Ledger,
    path: Path,
    *,
    by: str,
    now: datetime,
    layout: BankLayout | None = None,
) -> BankReport:
    """Books the payments of a bank's CSV with the columns date, amount and reference, all in one transaction.

    ``layout`` says how it is written. A row whose reference holds the number of exactly one account's invoices is
    booked there.

    Raises:
        MasterError: the file cannot be read, or a date or an amount in it; nothing was booked.
    """
    rows = bank_rows(path, layout or BankLayout())
    booked: list[Paid] = []
    left: list[BankRow] = []
    known = 0
    with ledger.transaction() as tx:
        numbers = {
            row.number.translate(_SQUEEZED): row for row in tx.execute(invoices.select()) if row.number
        }
        done = {row.txn_id for row in tx.execute(entries.select())}
        for txn_id, row in named(rows):
            if txn_id in done:
                known += 1
                continue
            found = _account_named(row, numbers)
            if isinstance(found, str):
                left.append(replace(row, why=found))
                continue
            holder, invoice_sid = found
            note = f"{row.day} {row.reference}".strip()
            booking = Booking(txn_id, PAYMENT, _rows(PAYMENT, row.amount), invoice_sid, note, by)
            booked.append(_record(tx, holder, booking, now))
    export(lake, ledger, at=now)
    return BankReport(tuple(booked), known, tuple(left))


def _rows(kind: str, amount: Decimal) -> tuple[tuple[str, Decimal], ...]:
    sign, account = KINDS[kind]
    return ((RECEIVABLE, sign * amount), (account, -sign * amount))


def _record(tx: Connection, holder: Holder, booking: Booking, now: datetime) -> Paid:
    book(tx, holder, booking, now)
    settled = settle(tx, holder)
    balance = to_minor(add(row.amount for row in receivables(tx, holder)), holder.currency)
    return Paid(booking.txn_id, holder.partner_sid, balance, holder.currency, settled)


def _give_up(tx: Connection, who: str, invoice_sid: str | None, by: str, reason: str, now: datetime) -> None:
    if invoice_sid is None:
        msg = f"{who} is an account: a write-off names the invoice that is given up. Nothing was recorded."
        raise GateError(msg)
    invoice = invoice_row(tx, invoice_sid)
    move(tx, invoice, UNCOLLECTABLE)
    on_record(tx, by, WRITE_OFF, invoice.number or invoice_sid, reason, now)


def _holder(tx: Connection, who: str) -> tuple[Holder, str | None]:
    invoice = find_invoice(tx, who)
    if invoice is not None:
        return Holder(invoice.partner_sid, invoice.seller, invoice.currency), invoice.invoice_sid
    held = _held(tx.execute(invoices.select().where(invoices.c.partner_sid == who)))
    held |= _held(tx.execute(entries.select().where(entries.c.partner_sid == who)))
    if not held:
        msg = f"there is no invoice and no account {who}. Name an invoice number, an invoice_sid or a partner_sid."
        raise GateError(msg)
    if len(held) > 1:
        sellers = ", ".join(sorted(f"{h.seller} ({h.currency})" for h in held))
        msg = f"{who} has more than one account: {sellers}. Name the invoice that was paid."
        raise GateError(msg)
    return held.pop(), None


def _held(rows: Iterable[Any]) -> set[Holder]:
    return {Holder(row.partner_sid, row.seller, row.currency) for row in rows}


def _check_amount(amount: Decimal, currency: str) -> None:
    if not amount.is_finite() or amount <= 0 or to_minor(amount, currency) != amount:
        msg = f"an amount must be positive and in whole cents, not {amount} {currency}. Nothing was recorded."
        raise GateError(msg)


def _account_named(row: BankRow, numbers: Mapping[str, Any]) -> tuple[Holder, str] | str:
    if row.amount <= 0:
        return "not a payment that came in: record it with `tollbook pay --kind refund` or `charge_back`"
    reference = row.reference.upper().translate(_SQUEEZED)
    found = [invoice for number, invoice in numbers.items() if number in reference]
    holders = {Holder(i.partner_sid, i.seller, i.currency) for i in found}
    if len(holders) != 1:
        return "names invoices of more than one account" if holders else "names no invoice"
    holder = holders.pop()
    if to_minor(row.amount, holder.currency) != row.amount:
        return f"is not in whole cents of {holder.currency}"
    return holder, max(found, key=lambda i: i.number).invoice_sid
