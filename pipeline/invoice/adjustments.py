"""Adjustments: money that a person decided on, which an account's next invoice takes as lines of their own.

An issued invoice never changes, so what corrects it waits in the ledger and is billed, or given back, with the next
one. A line of type ``adjustment`` names the invoice and the line that it corrects, bears the taxes of that line's
type (``taxed_as``) as ``domain.tax`` dates them, and keeps that line's period. Rows are only ever
added: dropping a draft frees what it took, and a wrong adjustment is corrected by another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from pipeline.domain.invoice import Item
from pipeline.domain.money import minor_unit, to_minor
from pipeline.domain.period import Period
from pipeline.errors import GateError
from pipeline.invoice.due import Account
from pipeline.invoice.export import export
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import adjustment_batches, adjustment_claims, adjustments, invoices

ADJUSTMENT, MANUAL, WHATIF = "adjustment", "manual", "whatif"


@dataclass(frozen=True, slots=True)
class Batch:
    """One decision: who, when and why. Its sid is taken once; a second one with the same sid is refused."""

    batch_sid: str
    kind: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What one decision does to one account; ``amount`` is exact, and negative where it gives back."""

    partner_sid: str
    seller: str
    currency: str
    description: str
    amount: Decimal
    taxed_as: str = ""
    direction: str | None = None
    country_code: str | None = None
    usage: int = 0
    records: int = 0
    of_invoice_sid: str | None = None
    of_line_no: int | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An adjustment that no invoice has taken yet, and its id and reason."""

    adjustment_id: int
    adjustment: Adjustment
    reason: str


def post(tx: Connection, batch: Batch, made: Iterable[Adjustment]) -> None:
    """Puts a decision and its adjustments on record.

    Raises:
        GateError: this decision is on record already.
    """
    same = adjustment_batches.c.batch_sid == batch.batch_sid
    known = tx.execute(adjustment_batches.select().where(same)).one_or_none()
    if known is not None:
        msg = f"{batch.batch_sid} was posted by {known.by} on {known.at:%Y-%m-%d %H:%M}. Nothing was posted again."
        raise GateError(msg)
    tx.execute(adjustment_batches.insert(), asdict(batch))
    for a in made:
        row = asdict(a) | {
            "batch_sid": batch.batch_sid,
            "period_start": a.period.start if a.period else None,
            "period_end": a.period.end if a.period else None,
        }
        del row["period"]
        tx.execute(adjustments.insert(), row)


def pending(tx: Connection) -> dict[tuple[str, str, str], list[Pending]]:
    """What waits, by (partner_sid, seller, currency), in the order in which it was posted."""
    query = (
        select(adjustments, adjustment_batches.c.reason)
        .join(adjustment_batches, adjustment_batches.c.batch_sid == adjustments.c.batch_sid)
        .where(adjustments.c.adjustment_id.not_in(select(adjustment_claims.c.adjustment_id)))
        .order_by(adjustments.c.adjustment_id)
    )
    found: dict[tuple[str, str, str], list[Pending]] = {}
    for row in tx.execute(query).mappings():
        key = (row["partner_sid"], row["seller"], row["currency"])
        found.setdefault(key, []).append(Pending(row["adjustment_id"], _adjustment(row), row["reason"]))
    return found


def claim(tx: Connection, invoice_sid: str, taken: Mapping[int, int]) -> None:
    """Notes which line of an invoice takes which adjustment; the ledger refuses one that is taken already."""
    for adjustment_id, line_no in taken.items():
        row = {"adjustment_id": adjustment_id, "invoice_sid": invoice_sid, "line_no": line_no}
        tx.execute(adjustment_claims.insert(), row)


def adjustment_item(waiting: Pending, period: Period) -> Item:
    """The line of an adjustment on the invoice of ``period``."""
    a = waiting.adjustment
    detail: dict[str, object] = {"adjustment_id": waiting.adjustment_id, "reason": waiting.reason}
    if a.of_invoice_sid:
        detail |= {"of_invoice_sid": a.of_invoice_sid, "of_line_no": a.of_line_no}
    return Item(
        type=ADJUSTMENT,
        direction=a.direction,
        country_code=a.country_code,
        description=a.description,
        usage=a.usage,
        records=a.records,
        amount_exact=a.amount,
        amount=to_minor(a.amount, a.currency),
        period=a.period or period,
        detail=detail | ({"taxed_as": a.taxed_as} if a.taxed_as else {}),
        taxed_as=a.taxed_as,
    )


def adjust(
    lake: Lake,
    ledger: Ledger,
    held: Sequence[Account],
    who: str,
    amount: Decimal,
    *,
    reason: str,
    by: str,
    now: datetime,
    taxed_as: str = "",
) -> Adjustment:
    """Adds an amount to a customer's next invoice; negative gives back.

    ``who`` is an invoice (number or invoice_sid), which it then corrects, or a partner_sid.

    Raises:
        GateError: there is no such account, no reason, or an amount that is 0 or not in whole minor units.
    """
    with ledger.transaction() as tx:
        invoice = tx.execute(
            invoices.select().where((invoices.c.invoice_sid == who) | (invoices.c.number == who))
        ).one_or_none()
        account = _account(held, who if invoice is None else invoice.partner_sid)
        currency = account.customer.currency
        _check(amount, currency, reason)
        made = Adjustment(
            account.customer.partner_sid,
            account.seller.key,
            currency,
            f"Adjustment to {invoice.number or who}: {reason}" if invoice else f"Adjustment: {reason}",
            amount,
            taxed_as,
            of_invoice_sid=invoice.invoice_sid if invoice else None,
        )
        last = tx.execute(adjustments.select().order_by(adjustments.c.adjustment_id.desc())).first()
        batch_sid = f"{MANUAL}-{last.adjustment_id + 1 if last else 1}"
        post(tx, Batch(batch_sid, MANUAL, by, now, reason), [made])
    export(lake, ledger, at=now)
    return made


def _account(held: Sequence[Account], partner_sid: str) -> Account:
    for account in held:
        if account.customer.partner_sid == partner_sid:
            return account
    msg = f"there is no invoice and no customer {partner_sid}. Name an invoice number, an invoice_sid or a partner_sid."
    raise GateError(msg)


def _check(amount: Decimal, currency: str, reason: str) -> None:
    if not reason.strip():
        msg = "an adjustment needs a reason: the customer reads it on the invoice. Nothing was posted."
        raise GateError(msg)
    if not amount.is_finite() or amount == 0 or to_minor(amount, currency) != amount:
        msg = (
            f"an adjustment has at most {minor_unit(currency)} decimals and is not 0, unlike {amount} {currency}. "
            "Nothing was posted."
        )
        raise GateError(msg)


def _adjustment(row: Mapping[Any, Any]) -> Adjustment:
    known = {name: row[name] for name in Adjustment.__dataclass_fields__ if name != "period"}
    start, end = row["period_start"], row["period_end"]
    return Adjustment(**known, period=Period(start, end) if start and end else None)
