"""Credit notes: documents with a number of their own that take back all or part of an issued invoice.

An issued invoice never changes, so what was wrong on it is taken back by a document of the same kind: its lines, its
taxes, its entries, its place in the account. Credited money stands on ``adjustment`` lines. Where the records
themselves are given back (``rebill``), the lines of usage keep their type, what rests on them goes back with them, and
the next invoice takes the records anew, as they are rated by then; rent and adjustments stay as they were invoiced.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table

from pipeline.domain.credit import after_credit, base_back, tax_remaining
from pipeline.domain.invoice import TaxItem, foot
from pipeline.domain.invoice_status import COMPLETE
from pipeline.domain.money import add, multiply, to_minor
from pipeline.domain.rounding import EXACT
from pipeline.errors import GateError
from pipeline.invoice.books import RECEIVABLE, REVENUE, TAX, Booking, Holder, balances, book
from pipeline.invoice.due import USAGE
from pipeline.invoice.export import export
from pipeline.invoice.giveback import credit_sid, give_back, lines_back
from pipeline.invoice.issue import Issued, find_invoice, next_number, on_record, settle
from pipeline.invoice.parts import DISCOUNT
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import invoice_items, invoice_taxes, invoices
from pipeline.ledger.taxes import tax_of, tax_values

CREDIT_NOTE = "credit_note"
ADJUSTMENT = "adjustment"
SERIES = "-CN"
_DISCOUNTED = f"""
select line_no, of_line_no, amount
from invoice.parts
where invoice_sid = $sid and kind = '{DISCOUNT}' and of_line_no is not null
order by part_no
"""


def credit(
    lake: Lake,
    ledger: Ledger,
    which: str,
    lines: Mapping[int, Decimal | None] | None = None,
    *,
    by: str,
    reason: str,
    now: datetime,
    rebill: bool = False,
) -> Issued:
    """Issues a credit note on an issued invoice (its number or ``invoice_sid``), in one transaction.

    ``lines`` maps line numbers to what is credited of them, None being all that remains; without it all that remains
    of the invoice is credited. ``rebill`` credits its usage, whole, and gives the records back.

    Raises:
        GateError: there is no such issued invoice, no reason is given, nothing remains, or more is credited than
            remains.
    """
    if not reason.strip():
        msg = "a credit note says why: give a reason. Nothing was credited."
        raise GateError(msg)
    with ledger.read() as tx:
        invoice = issued_invoice(tx, which)
        items = _rows(tx, invoice_items, invoice.invoice_sid)
        staged = give_back(lake, tx, invoice, items) if rebill else []
    with ledger.transaction() as tx:
        issued = CreditNote(tx, issued_invoice(tx, which), reason.strip(), by, now).issue(
            lines, rebill=rebill
        )
        lake.commit(tx, staged, at=now, stage="invoice", note=issued.invoice_sid)
    export(lake, ledger, at=now)
    return issued


def discounts_left(lake: Lake, ledger: Ledger, note_sid: str) -> list[tuple[str, int, str, Decimal]]:
    """Percentages off what a credit note gives back that nobody has given back: the invoice's number, the line, what
    it says, and its part of what goes back, as that would be credited."""
    with ledger.read() as tx:
        note = tx.execute(invoices.select().where(invoices.c.invoice_sid == note_sid)).one()
        of = issued_invoice(tx, json.loads(note.snapshot)["credits"]["invoice_sid"])
        items = {row.line_no: row for row in _rows(tx, invoice_items, of.invoice_sid)}
        back = {row.line_no: -row.amount for row in _rows(tx, invoice_items, note_sid)}
        notes = _earlier(tx, of.invoice_sid)
        gone = {row.line_no for each in notes for row in _rows(tx, invoice_items, each.invoice_sid)}
    shares: dict[int, Decimal] = {}
    for row in lake.query(_DISCOUNTED, {"sid": of.invoice_sid}):
        line, on = row["line_no"], row["of_line_no"]
        if line not in gone and back.get(on) and "percent" in json.loads(items[line].detail):
            share = EXACT.divide(multiply(row["amount"], back[on]), items[on].amount)
            shares[line] = add((shares.get(line, Decimal(0)), share))
    left = {line: to_minor(share, note.currency) for line, share in shares.items()}
    return [(of.number, line, items[line].description, amount) for line, amount in left.items() if amount]


class CreditNote:
    """One credit note in the making, within one transaction."""

    def __init__(self, tx: Connection, invoice: Any, reason: str, by: str, now: datetime) -> None:
        self.tx, self.invoice, self.reason, self.by, self.now = tx, invoice, reason, by, now
        self.currency: str = invoice.currency
        self.items = {row.line_no: row for row in _rows(tx, invoice_items, invoice.invoice_sid)}
        self.taxes = [tax_of(row._mapping) for row in _rows(tx, invoice_taxes, invoice.invoice_sid)]
        self.earlier = _earlier(tx, invoice.invoice_sid)
        self.sid = credit_sid(invoice.invoice_sid, len(self.earlier) + 1)

    def issue(self, lines: Mapping[int, Decimal | None] | None, *, rebill: bool) -> Issued:
        """Writes the note, its lines, taxes and entries, and who decided it."""
        if rebill and (self.earlier or lines is not None):
            msg = (
                f"{self.invoice.number}: records are given back all together, and only where nothing has been credited "
                "before. Nothing was credited."
            )
            raise GateError(msg)
        wanted, after = self.take_records() if rebill else self.take(lines)
        taxes = self._taxes_back(after)
        amount = to_minor(-add(wanted.values()), self.currency)
        amount_tax = to_minor(-add(taxes), self.currency)
        on_record(self.tx, self.by, "credit", self.invoice.number, self.reason, self.now)
        return self._enter(wanted, taxes, amount, amount_tax, keep_type=rebill)

    def take(
        self, lines: Mapping[int, Decimal | None] | None
    ) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        """The amounts that ``lines`` mean, and what then remains of every line.

        Raises:
            GateError: nothing remains, a line is unknown, or more is wanted than remains of it.
        """
        remaining = self._remaining()
        wanted = {
            n: remaining[n] if amount is None else amount for n, amount in self._wanted(lines, remaining)
        }
        try:
            return wanted, after_credit(remaining, wanted, self.currency)
        except ValueError as error:
            msg = f"{self.invoice.number}: {error}. Nothing was recorded."
            raise GateError(msg) from None

    def take_records(self) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        """The amounts of the lines that go back with the records, and what then remains of every line.

        Raises:
            GateError: the invoice has no records.
        """
        back = {item.line_no: item.amount for item in lines_back(self.items.values())}
        if not back:
            msg = f"{self.invoice.number} has no usage, so there are no records to bill again. Nothing was credited."
            raise GateError(msg)
        # A line that came to nothing goes back with the others: its records do.
        return back, {n: item.amount - back.get(n, Decimal(0)) for n, item in self.items.items()}

    def _remaining(self) -> dict[int, Decimal]:
        left = {number: row.amount for number, row in self.items.items()}
        for note in self.earlier:
            for row in _rows(self.tx, invoice_items, note.invoice_sid):
                number = json.loads(row.detail)["credits_line"]
                left[number] = to_minor(left[number] + row.amount, self.currency)
        return left

    def _wanted(
        self, lines: Mapping[int, Decimal | None] | None, remaining: Mapping[int, Decimal]
    ) -> list[tuple[int, Decimal | None]]:
        wanted = dict(lines) if lines is not None else {n: None for n, left in remaining.items() if left}
        unknown = sorted(set(wanted) - set(remaining))
        if unknown or not wanted:
            why = f"there is no line {unknown[0]}" if unknown else "nothing remains of it"
            msg = f"{self.invoice.number}: {why}. `tollbook explain {self.invoice.number}` lists its lines."
            raise GateError(msg)
        return sorted(wanted.items())

    def _taxes_back(self, after: Mapping[int, Decimal]) -> list[Decimal]:
        before = [tax.amount for tax in self.taxes]
        rules = [tax.rule for tax in self.taxes]
        for note in self.earlier:
            for row in _rows(self.tx, invoice_taxes, note.invoice_sid):
                at = rules.index(row.rule)
                before[at] = to_minor(before[at] + row.amount, self.currency)
        left = tax_remaining(self.taxes, before, after, self.currency)
        return [to_minor(was - now, self.currency) for was, now in zip(before, left, strict=True)]

    def _enter(
        self,
        wanted: Mapping[int, Decimal],
        taxes: Sequence[Decimal],
        amount: Decimal,
        amount_tax: Decimal,
        *,
        keep_type: bool,
    ) -> Issued:
        holder = Holder(self.invoice.partner_sid, self.invoice.seller, self.currency)
        sums = foot(amount, amount_tax, *balances(self.tx, holder))
        snapshot = json.loads(self.invoice.snapshot)
        number = next_number(self.tx, snapshot["seller"]["series"] + SERIES, self.now.year)
        row = {
            "invoice_sid": self.sid,
            "number": number,
            "kind": CREDIT_NOTE,
            "status": COMPLETE,
            "date_created": self.now,
            "date_issued": self.now,
            "approved_by": self.by,
            "snapshot": json.dumps(self._snapshot(snapshot), sort_keys=True, ensure_ascii=False),
        }
        kept = ("seller", "partner_sid", "currency", "period_start", "period_end")
        totals = {name: getattr(sums, name) for name in sums.__dataclass_fields__}
        self.tx.execute(
            invoices.insert(), row | totals | {name: getattr(self.invoice, name) for name in kept}
        )
        self.tx.execute(invoice_items.insert(), [self._line(n, a, keep_type) for n, a in wanted.items()])
        back = self._tax_rows(wanted, taxes)
        if back:
            self.tx.execute(invoice_taxes.insert(), back)
        self._book(holder, amount, amount_tax)
        settle(self.tx, holder)
        return Issued(self.sid, number, holder.partner_sid, sums.amount_due, self.currency)

    def _book(self, holder: Holder, amount: Decimal, amount_tax: Decimal) -> None:
        rows = [(RECEIVABLE, add((amount, amount_tax))), (REVENUE, -amount)]
        if amount_tax:
            rows.append((TAX, -amount_tax))
        booking = Booking(f"credit:{self.sid}", CREDIT_NOTE, tuple(rows), self.sid, self.reason, self.by)
        book(self.tx, holder, booking, self.now)

    def _line(self, number: int, amount: Decimal, keep_type: bool) -> dict[str, Any]:
        item = self.items[number]
        return {
            "invoice_sid": self.sid,
            "line_no": number,
            "type": item.type if keep_type else ADJUSTMENT,
            "direction": item.direction,
            "country_code": item.country_code,
            "description": f"Credit: {item.description}",
            "usage": -item.usage if keep_type else 0,
            "records": item.records if keep_type else 0,
            "amount_exact": -item.amount_exact if keep_type else -amount,
            "amount": -amount,
            "period_start": item.period_start,
            "period_end": item.period_end,
            "detail": json.dumps({"credits_line": number, "credits_type": item.type}, sort_keys=True),
        }

    def _tax_rows(self, wanted: Mapping[int, Decimal], taxes: Sequence[Decimal]) -> list[dict[str, Any]]:
        by_rule = {tax.rule: amount for tax, amount in zip(self.taxes, taxes, strict=True)}
        back = [tax for tax in self.taxes if by_rule[tax.rule]]
        return [
            tax_values(_taken_back(tax, base_back(tax, wanted, by_rule), by_rule[tax.rule]))
            | {"invoice_sid": self.sid, "line_no": number}
            for number, tax in enumerate(back, start=1)
        ]

    def _snapshot(self, original: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **original,
            "days": [],
            "plans": [],
            "not_billed": [],
            "records": {"calls": 0, "messages": 0},
            "notes": [
                "Taxes are credited as they were charged: what remains of the invoice is taxed as a whole, and the "
                "difference goes back."
            ],
            "credits": {
                "invoice_sid": self.invoice.invoice_sid,
                "number": self.invoice.number,
                "date_issued": self.invoice.date_issued.isoformat(),
                "reason": self.reason,
            },
        }


def issued_invoice(tx: Connection, which: str) -> Any:
    """The row of an issued invoice, by number or sid.

    Raises:
        GateError: there is none, or it is a draft or a credit note.
    """
    found = find_invoice(tx, which)
    if found is None or not found.number or found.kind != USAGE:
        msg = (
            f"there is no issued invoice {which}: only those can be credited. A draft is taken back with "
            '`tollbook drop`; `tollbook sql "from invoice.invoices"` lists all.'
        )
        raise GateError(msg)
    return found


def _earlier(tx: Connection, invoice_sid: str) -> list[Any]:
    """The credit notes on an invoice so far, in their order."""
    query = invoices.select().where(invoices.c.kind == CREDIT_NOTE).order_by(invoices.c.number)
    return [
        row for row in tx.execute(query) if json.loads(row.snapshot)["credits"]["invoice_sid"] == invoice_sid
    ]


def _rows(tx: Connection, table: Table, invoice_sid: str) -> list[Any]:
    query = table.select().where(table.c.invoice_sid == invoice_sid).order_by(table.c.line_no)
    return list(tx.execute(query))


def _taken_back(tax: TaxItem, base: Decimal, amount: Decimal) -> TaxItem:
    """A tax on a credit note, whose base is what goes back, and not a share of the note's own lines."""
    nothing: dict[str, Any] = {"lines": (), "on": (), "share": Decimal(1)}
    return replace(tax, base=-base, amount=-amount, method=CREDIT_NOTE, **nothing)
