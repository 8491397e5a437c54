"""An invoice, one of its lines or one of its taxes, followed back to what it is made of.

Figures are those that were billed: the ledger's rows, and the records and parts that the lake keeps beside them. Of
master data only rows are named that still say what was billed. The sentences are in ``explainlines`` and
``explaintaxes``; each explanation ends with a sum that comes to the amount on the page.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.credit import tax_remaining
from pipeline.domain.invoice import TaxItem
from pipeline.domain.money import add, plain
from pipeline.domain.period import Period, last_day, local_day
from pipeline.errors import GateError
from pipeline.invoice.credit import CREDIT_NOTE
from pipeline.invoice.explainlines import (
    ADJUSTED,
    CORRECTED,
    CREDITED,
    NOTHING,
    RECORDS,
    Said,
    kind_of_part,
    line_reasons,
)
from pipeline.invoice.explaintaxes import credited_tax_reasons, tax_in_short, tax_reasons
from pipeline.invoice.issue import find_invoice
from pipeline.lake.lake import Lake
from pipeline.lake.views import sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows_in
from pipeline.ledger.schema import adjustment_batches, adjustments, invoice_items, invoice_taxes, invoices
from pipeline.ledger.taxes import tax_of
from pipeline.masters.model import Masters

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice or a credit note. A note has the invoice that it ``credits``, and the notes on that before it."""

    row: Row
    items: Mapping[int, Row]
    taxes: tuple[TaxItem, ...]
    snapshot: Mapping[str, Any]
    credits: "Bill | None" = None
    earlier: tuple["Bill", ...] = ()

    @property
    def name(self) -> str:
        return str(self.row["number"] or self.row["invoice_sid"])

    @property
    def period(self) -> Period:
        return Period(self.row["period_start"], self.row["period_end"])

    @property
    def zone(self) -> str:
        return str(self.snapshot["customer"]["time_zone"])


@dataclass(frozen=True, slots=True)
class TaxExplained:
    """A tax: ``short`` in one sentence, ``reasons`` step by step, and the lines that it is on."""

    name: str
    currency: str
    tax: TaxItem
    short: str
    reasons: tuple[str, ...]
    lines: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class LineExplained:
    """A line: its records or its parts, and how they come to its amount. ``credits`` is the line that it takes back."""

    name: str
    currency: str
    kind: str
    item: Row
    records: tuple[Row, ...]
    parts: tuple[Row, ...]
    reasons: tuple[str, ...]
    credits: "LineExplained | None" = None


@dataclass(frozen=True, slots=True)
class InvoiceExplained:
    """An invoice or credit note: its lines, its taxes, and what it is."""

    name: str
    invoice: Row
    items: tuple[Row, ...]
    taxes: tuple[TaxExplained, ...]
    reasons: tuple[str, ...]


def explain_invoice(ledger: Ledger, masters: Masters, which: str) -> InvoiceExplained | None:
    """An invoice, by number or sid; None where there is none."""
    with ledger.read() as tx:
        bill = _bill(tx, which)
    if bill is None:
        return None
    invoice = _dated(bill.row) | {"company_name": bill.snapshot["customer"]["name"]}
    del invoice["snapshot"]
    items = tuple(_item(row) for row in bill.items.values())
    taxes = tuple(_tax(bill, tax, masters) for tax in bill.taxes)
    return InvoiceExplained(bill.name, invoice, items, taxes, _invoice_reasons(bill))


def explain_part(
    lake: Lake, ledger: Ledger, masters: Masters, which: str, part: str
) -> LineExplained | TaxExplained | None:
    """A line of an invoice by its number, or a tax by its rule; None where there is no such invoice.

    Raises:
        GateError: the invoice has no such line or tax.
    """
    with ledger.read() as tx:
        bill = _bill(tx, which)
        if bill is None:
            return None
        if part.isdecimal() and int(part) in bill.items:
            said = partial(_said, tx, masters)
            return _line(lake, said, bill, bill.items[int(part)])
    for tax in bill.taxes:
        if tax.rule == part:
            return _tax(bill, tax, masters)
    msg = (
        f"{bill.name} has neither a line nor a tax {part!r}. Write a line as INVOICE/3, a tax with its rule, as "
        f"INVOICE/us-usf-domestic; `tollbook explain {bill.name}` lists both."
    )
    raise GateError(msg)


def _bill(tx: Connection, which: str) -> Bill | None:
    found = find_invoice(tx, which)
    if found is None:
        return None
    bill = _read(tx, dict(found._mapping))
    if bill.row["kind"] != CREDIT_NOTE:
        return bill
    sid = bill.snapshot["credits"]["invoice_sid"]
    mine = (invoices.c.kind == CREDIT_NOTE, invoices.c.partner_sid == bill.row["partner_sid"])
    notes = [
        _read(tx, row) for row in rows_in(tx, invoices.select().where(*mine).order_by(invoices.c.number))
    ]
    on_it = (note for note in notes if note.snapshot["credits"]["invoice_sid"] == sid)
    earlier = tuple(note for note in on_it if note.name < bill.name)
    return Bill(bill.row, bill.items, bill.taxes, bill.snapshot, _bill(tx, sid), earlier)


def _read(tx: Connection, row: Row) -> Bill:
    sid = row["invoice_sid"]
    items, taxes = (
        rows_in(tx, table.select().where(table.c.invoice_sid == sid).order_by(table.c.line_no))
        for table in (invoice_items, invoice_taxes)
    )
    lines = {item["line_no"]: item for item in items}
    return Bill(row, lines, tuple(tax_of(tax) for tax in taxes), json.loads(row["snapshot"]))


def _line(lake: Lake, said: "partial[Said]", bill: Bill, row: Row) -> LineExplained:
    item, names = _item(row), {"sid": row["invoice_sid"], "line": row["line_no"]}
    credited = None
    records: Sequence[Row] = ()
    parts: Sequence[Row] = ()
    if bill.credits:
        kind = CREDITED
        credited = _line(lake, said, bill.credits, bill.credits.items[item["detail"]["credits_line"]])
    elif records := lake.query(sql_text("invoice/explain/records"), names):
        kind = CORRECTED if item["detail"].get("correction") else RECORDS
    elif "adjustment_id" in item["detail"]:
        kind, records = ADJUSTED, lake.query(sql_text("invoice/explain/adjusted"), names)
    else:
        parts = lake.query(sql_text("invoice/explain/parts"), names)
        kind = kind_of_part(parts[0]["kind"]) if parts else NOTHING
    reasons = line_reasons(kind, said(bill, item), records or parts)
    currency = bill.row["currency"]
    name = f"{bill.name}/{item['line_no']}"
    return LineExplained(name, currency, kind, item, tuple(records), tuple(parts), reasons, credited)


def _said(tx: Connection, masters: Masters, bill: Bill, item: Row) -> Said:
    """What is known of a line beside what it is made of."""
    detail, days = item["detail"], (item["date_billing_period_start"], item["date_billing_period_end"])
    notes: tuple[tuple[str, Row], ...] = ()
    if bill.credits:
        on = [(note.name, note.items.get(detail["credits_line"])) for note in (*bill.earlier, bill)]
        notes = tuple((name, line) for name, line in on if line)
    return Said(
        item=item,
        currency=bill.row["currency"],
        customer=bill.snapshot["customer"],
        own=_days(bill.period, bill.zone),
        days=_days(Period(*days), bill.zone),
        late=days[1] <= bill.row["period_start"],
        masters=masters,
        decided=_decision(tx, bill, detail),
        corrects=_corrected(tx, detail) if "of_invoice_sid" in detail else None,
        credited=bill.credits.items[detail["credits_line"]] if bill.credits else None,
        credited_of=bill.credits.name if bill.credits else "",
        notes=notes,
    )


def _decision(tx: Connection, bill: Bill, detail: Row) -> str:
    """Who decided on a credit note or an adjustment, when and why; empty where nobody had to."""
    if bill.credits:
        return _note_decided(bill)
    if "adjustment_id" in detail:
        query = adjustment_batches.select().select_from(adjustments.join(adjustment_batches))
        (found,) = rows_in(tx, query.where(adjustments.c.adjustment_id == detail["adjustment_id"]))
        return _decided(found["by"], found["at"], bill.zone, f"{found['reason']} ({found['batch_sid']})")
    return ""


def _note_decided(note: Bill) -> str:
    row = note.row
    return _decided(row["approved_by"], row["date_issued"], note.zone, note.snapshot["credits"]["reason"])


def _decided(by: str, at: datetime, zone: str, why: str) -> str:
    return f"Decided by {by} on {local_day(at, zone)}: {why}"


def _corrected(tx: Connection, detail: Row) -> str:
    """The invoice that an adjustment corrects, or its line."""
    of, line = find_invoice(tx, detail["of_invoice_sid"]), detail.get("of_line_no")
    name = detail["of_invoice_sid"] if of is None else of.number or of.invoice_sid
    return f"{name}/{line}" if line else str(name)


def _tax(bill: Bill, tax: TaxItem, masters: Masters) -> TaxExplained:
    lines = tuple(_item(bill.items[n]) for n in tax.lines if n in bill.items)
    if bill.credits is None:
        day = last_day(bill.period, bill.zone)
        reasons = tax_reasons(tax, bill.taxes, bill.items, masters.taxes, day)
    else:
        lines = tuple(_item(row) for row in bill.items.values())
        reasons = _credited_tax(bill, bill.credits, tax)
    return TaxExplained(bill.name, bill.row["currency"], tax, tax_in_short(tax, lines), reasons, lines)


def _credited_tax(note: Bill, invoice: Bill, tax: TaxItem) -> tuple[str, ...]:
    """How much of a tax stood before a note, and what stands after it."""
    before, currency = _standing(invoice, note.earlier), str(note.row["currency"])
    after = _standing(invoice, (*note.earlier, note))
    stood = {t.rule: left for t, left in zip(invoice.taxes, _taxes_left(invoice, note.earlier), strict=True)}
    own = next(t for t in invoice.taxes if t.rule == tax.rule)
    left = tax_remaining(invoice.taxes, list(stood.values()), after, currency)
    remains = dict(zip(stood, left, strict=True))
    return credited_tax_reasons(own, tax.amount, invoice.name, stood, remains, before, after)


def _standing(invoice: Bill, notes: Iterable[Bill]) -> dict[int, Any]:
    """What stands of each line after some notes."""
    taken = [
        (item, json.loads(item["detail"])["credits_line"]) for note in notes for item in note.items.values()
    ]
    return {
        n: add((row["amount"], *(item["amount"] for item, of in taken if of == n)))
        for n, row in invoice.items.items()
    }


def _taxes_left(invoice: Bill, notes: Iterable[Bill]) -> list[Any]:
    taken = [tax for note in notes for tax in note.taxes]
    return [add((t.amount, *(back.amount for back in taken if back.rule == t.rule))) for t in invoice.taxes]


def _invoice_reasons(bill: Bill) -> tuple[str, ...]:
    row, said = bill.row, []
    if bill.credits:
        issued = local_day(bill.credits.row["date_issued"], bill.zone)
        said += [
            f"It takes back of {bill.credits.name}, issued on {issued}.",
            _note_decided(bill),
        ]
        taken = [(note.name, plain(-note.row["amount"], decimals=2)) for note in bill.earlier]
        said += [f"{name} had taken back {amount} before." for name, amount in taken]
    if row["date_issued"] and not bill.credits:
        said.append(
            f"Issued on {local_day(row['date_issued'], bill.zone)}, approved by {row['approved_by']}."
        )
    if not row["date_issued"]:
        said.append("A draft: it has no number yet, and may still change.")
    first, last = _days(bill.period, bill.zone)
    return (f"For {first} to {last}, the days of {bill.zone}; amounts are {row['currency']}.", *said)


def _days(period: Period, zone: str) -> tuple[Any, Any]:
    return local_day(period.start, zone), last_day(period, zone)


def _item(row: Row) -> dict[str, Any]:
    return _dated(row) | {"detail": json.loads(row["detail"])}


def _dated(row: Row) -> dict[str, Any]:
    """A row of the ledger with its period as the tables of the lake name it."""
    kept = {name: value for name, value in row.items() if name not in ("period_start", "period_end")}
    return kept | {
        "date_billing_period_start": row["period_start"],
        "date_billing_period_end": row["period_end"],
    }
