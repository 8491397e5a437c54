"""What goes back when the records of an invoice are billed again: its claims and draws, and what rests on their lines.

A percentage off usage goes back with the usage, and is taken anew from what is billed again; a fixed amount belongs to
its invoice and stays. What counted towards a minimum counts no more, and what was billed as short of it is looked at
anew with the next invoice. Later claims on a record rest on earlier ones, so they are given back in the opposite order.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection

from pipeline.errors import GateError
from pipeline.invoice.due import USAGE
from pipeline.invoice.lines import TYPES
from pipeline.invoice.parts import ABOVE, COUNTED
from pipeline.invoice.parts import TABLE as PARTS
from pipeline.lake.lake import Lake, Staged
from pipeline.ledger.schema import invoices

_CLAIMS = """
select * replace (
    '{credit_sid}' as invoice_sid, (-amount)::decimal(20, 10) as amount, (-usage)::decimal(18, 3) as usage
)
from invoice.claims
where invoice_sid = '{invoice_sid}'
order by line_no, date_stop, source, dr_sid
"""
_DRAWS = """
select * replace (
    '{credit_sid}' as invoice_sid, (-amount)::decimal(20, 10) as amount,
    (-quantity)::decimal(20, 10) as quantity
)
from invoice.draws
where invoice_sid = '{invoice_sid}'
order by kind, key, date_stop, source, dr_sid
"""
# As on an invoice, what has counted is balanced where nothing is billed for it.
_PARTS = f"""
with back as (
    select * replace ((-amount)::decimal(20, 10) as amount)
    from invoice.parts
    where invoice_sid = '{{invoice_sid}}' and kind = '{COUNTED}' and of_line_no in ({{lines}})
),

both_sides as (
    from back
    union all by name
    select
        payer_sid, payee_sid, '{ABOVE}' as kind, key, key as what, date_billing_period_start, date_billing_period_end,
        first_day, last_day, 1 as quantity, invoiced_to, (-sum(amount))::decimal(20, 10) as amount
    from back
    group by all
)

select * replace (
    '{{credit_sid}}' as invoice_sid, 0::integer as line_no,
    (row_number() over (order by key, date_billing_period_start, kind, of_line_no))::integer as part_no
)
from both_sides
order by part_no
"""
_ALSO_ON = """
select distinct invoice_sid
from invoice.claims as c
semi join (from invoice.claims where invoice_sid = '{invoice_sid}') as mine
    using (source, dr_sid, payer_sid, payee_sid)
"""


def credit_sid(invoice_sid: str, nth: int) -> str:
    """The id of the nth credit note on an invoice; one that gives records back is the first."""
    return "credit-" + hashlib.sha256(f"{invoice_sid}:{nth}".encode()).hexdigest()[:32]


def lines_back(items: Iterable[Any]) -> list[Any]:
    """The lines of an invoice that go back with its records: usage, and percentages off usage."""
    return [item for item in items if item.type in TYPES or _off_usage(json.loads(item.detail))]


def give_back(lake: Lake, tx: Connection, invoice: Any, items: Iterable[Any]) -> list[Staged]:
    """Writes what takes back the claims, draws and counted lines of an invoice.

    Raises:
        GateError: later invoices have corrected some of its records.
    """
    note = credit_sid(invoice.invoice_sid, 1)
    numbers = ", ".join(str(item.line_no) for item in lines_back(items)) or "null"
    names = {"credit_sid": note, "invoice_sid": invoice.invoice_sid, "lines": numbers}
    with lake.duck() as con:
        also = {sid for (sid,) in con.execute(_ALSO_ON.format(**names)).fetchall()}
        if note not in also and (still := _later(tx, invoice, also)):
            msg = (
                f"{invoice.number}: some of its records are corrected on {', '.join(still)}. Give those back before, "
                "in this order: `tollbook credit NUMBER --rebill`, or `tollbook drop` for a draft. Nothing was "
                "credited."
            )
            raise GateError(msg)
        queries = {"invoice/claims": _CLAIMS, "invoice/draws": _DRAWS, PARTS: _PARTS}
        return lake.stage_found(con, note, {table: query.format(**names) for table, query in queries.items()})


def _off_usage(detail: dict[str, Any]) -> bool:
    return detail.get("off") in TYPES and "percent" in detail


def _later(tx: Connection, invoice: Any, also: Collection[str]) -> list[str]:
    """The account's later invoices, the newest first, that have claims on the same records still."""
    query = invoices.select().where(
        invoices.c.partner_sid == invoice.partner_sid,
        invoices.c.seller == invoice.seller,
        invoices.c.kind == USAGE,
        invoices.c.period_end > invoice.period_end,
    )
    return [
        row.number or row.invoice_sid
        for row in tx.execute(query.order_by(invoices.c.period_end.desc()))
        if row.invoice_sid in also and credit_sid(row.invoice_sid, 1) not in also
    ]
