"""Money that comes in and goes out on a customer's account, each a transaction of the double entry.

A payment lowers what is owed, a refund or a charge-back raises it again, a write-off gives an invoice up. What came in
settles the oldest debt first. A bank's list is read whole or not at all; each of its rows counts once, however often
the list is read, and a row that names no invoice is left for a person.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.invoice_status import UNCOLLECTABLE
from pipeline.domain.money import add, to_minor
from pipeline.errors import GateError, MasterError
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
_COLUMNS = ("date", "amount", "reference")
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
class BankRow:
    """One row of a bank's list; ``why`` says what keeps it from being booked, or is empty."""

    line: int
    date: str
    amount: Decimal
    reference: str
    why: str = ""


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
    columns: Mapping[str, str] | None = None,
) -> BankReport:
    """Books the payments of a bank's CSV with the columns date, amount and reference, all in one transaction.

    ``columns`` maps the bank's own names to these. A row whose reference holds the number of exactly one account's
    invoices is booked there.

    Raises:
        MasterError: the file cannot be read, or a row's amount is no number; nothing was booked.
    """
    rows = _bank_rows(path, columns or {})
    booked: list[Paid] = []
    left: list[BankRow] = []
    known = 0
    with ledger.transaction() as tx:
        numbers = {
            row.number.translate(_SQUEEZED): row for row in tx.execute(invoices.select()) if row.number
        }
        done = {row.txn_id for row in tx.execute(entries.select())}
        for txn_id, row in _named(rows):
            if txn_id in done:
                known += 1
                continue
            found = _account_named(row, numbers)
            if isinstance(found, str):
                left.append(BankRow(row.line, row.date, row.amount, row.reference, found))
                continue
            holder, invoice_sid = found
            note = f"{row.date} {row.reference}".strip()
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


def _bank_rows(path: Path, columns: Mapping[str, str]) -> list[BankRow]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read ({error}). Export it as CSV in UTF-8. Nothing was booked."
        raise MasterError(msg) from None
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    ours = {name: columns.get(name, name).strip().lower() for name in reader.fieldnames or ()}
    missing = [name for name in _COLUMNS if name not in ours.values()]
    if missing:
        msg = (
            f"{path} has no column {', '.join(missing)}; it has {', '.join(reader.fieldnames or ())}. "
            "Say which is which with --map THEIRS=OURS. Nothing was booked."
        )
        raise MasterError(msg)
    return [
        _bank_row(path, reader.line_num, {ours[k]: v or "" for k, v in row.items() if k in ours})
        for row in reader
    ]


def _bank_row(path: Path, line: int, row: Mapping[str, str]) -> BankRow:
    try:
        amount = Decimal(row["amount"].strip())
    except InvalidOperation:
        msg = f"{path}:{line}: the amount {row['amount']!r} is not like 1234.56. Nothing was booked."
        raise MasterError(msg) from None
    return BankRow(line, row["date"].strip(), amount, row["reference"].strip())


def _named(rows: Iterable[BankRow]) -> Iterable[tuple[str, BankRow]]:
    """Each row with the id of its transaction: the same row again in one list is another payment."""
    seen: Counter[str] = Counter()
    for row in rows:
        content = f"{row.date}|{row.amount.normalize():f}|{row.reference}"
        seen[content] += 1
        digest = hashlib.sha256(f"{content}|{seen[content]}".encode()).hexdigest()
        yield f"bank:{digest[:40]}", row


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
