"""Posts what a what-if would have charged otherwise, as adjustments: the difference, and only of what was billed.

A record counts where an issued invoice has billed it at the revision that the what-if rated. What it is adjusted by is
its new amount less everything that was billed or posted for it before; so the same what-if posts nothing a second
time, and a better one posts the rest. What no invoice has taken yet is billed on the plan in use, and is left to it. A
record that drew from a bundle or a tier is left to a person: what it would draw depends on all others of its period.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.domain.period import Period
from pipeline.domain.rounding import quantize
from pipeline.errors import GateError
from pipeline.invoice.adjustments import WHATIF, Adjustment, Batch, post
from pipeline.invoice.due import Account
from pipeline.invoice.export import export
from pipeline.lake.disk import quoted
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger

_ADJUSTED = """
create or replace temp table adjusting as
with asked as (
    select * from read_parquet('{records}/*.parquet')
),

claimed as (
    select
        c.source, c.dr_sid, c.payer_sid, c.payee_sid, max(c.revision) as revision,
        bool_and(i.number is not null) as issued, sum(c.amount) as amount, sum(c.usage) as usage,
        arg_min(c.invoice_sid, c.revision) filter (c.line_no > 0) as of_invoice_sid,
        arg_min(c.line_no, c.revision) filter (c.line_no > 0) as of_line_no
    from invoice.claims as c
    join invoice.invoices as i on i.invoice_sid = c.invoice_sid
    group by all
),

drawn as (
    select distinct source, dr_sid, payer_sid, payee_sid from invoice.draws
),

posted as (
    select source, dr_sid, payer_sid, payee_sid, sum(amount) as amount, sum(usage) as usage
    from invoice.adjusted
    group by all
)

select
    a.service, a.source, a.dr_sid, a.revision, a.payer_sid, a.payee_sid, a.date_stop, k.of_invoice_sid, k.of_line_no,
    a.after_plan_sid as plan_sid, a.after_plan_version as plan_version,
    case
        when k.dr_sid is null or (k.amount = 0 and k.usage = 0) then 'not billed yet'
        when not k.issued then 'on a draft'
        when k.revision <> a.revision then 'a newer revision waits'
        when d.dr_sid is not null then 'drawn from a bundle or tier'
        when a.difference is null then 'no price'
    end as left_out,
    (a.after - k.amount - coalesce(p.amount, 0))::decimal(20, 10) as amount,
    (a.after_usage - k.usage - coalesce(p.usage, 0))::decimal(18, 3) as usage
from asked as a
left join claimed as k using (source, dr_sid, payer_sid, payee_sid)
left join posted as p using (source, dr_sid, payer_sid, payee_sid)
left join drawn as d using (source, dr_sid, payer_sid, payee_sid)
"""
_LINES = """
select
    a.payer_sid, a.payee_sid, a.of_invoice_sid, a.of_line_no, v.number, any_value(v.currency),
    any_value(l.type), any_value(l.direction), any_value(l.country_code), any_value(l.description),
    any_value(l.date_billing_period_start), any_value(l.date_billing_period_end),
    count(*), sum(a.amount), sum(a.usage)
from adjusting as a
join invoice.invoices as v on v.invoice_sid = a.of_invoice_sid
join invoice.items as l on l.invoice_sid = a.of_invoice_sid and l.line_no = a.of_line_no
where a.left_out is null and a.amount <> 0
group by all
order by a.payer_sid, a.payee_sid, v.number, a.of_line_no
"""
_RECORDS = """
select '{batch_sid}' as batch_sid, * exclude (left_out)
from adjusting
where left_out is null and amount <> 0
order by date_stop, source, dr_sid, payer_sid
"""
_LEFT = "select left_out, count(*) from adjusting where left_out is not null group by all order by all"


@dataclass(frozen=True, slots=True)
class Posted:
    """What waits now for the next invoices; ``left_out`` counts the records that were not adjusted, by why."""

    batch_sid: str
    adjustments: tuple[Adjustment, ...]
    left_out: dict[str, int]

    @property
    def records(self) -> int:
        return sum(a.records for a in self.adjustments)

    def amounts(self) -> dict[str, Decimal]:
        """Money per currency; negative is given back."""
        sums: dict[str, Decimal] = {}
        for a in self.adjustments:
            sums[a.currency] = sums.get(a.currency, Decimal(0)) + a.amount
        return sums


def post_differences(
    lake: Lake, ledger: Ledger, held: Sequence[Account], folder: Path, *, reason: str, by: str, now: datetime
) -> Posted:
    """Posts the answer in ``folder`` as adjustments, each to the line of the invoice that had billed its records.

    Raises:
        GateError: there is nothing to post, or a payer is no customer any more.
    """
    batch_sid = f"{WHATIF}-{hashlib.sha256(f'{folder.name}|{now.isoformat()}'.encode()).hexdigest()[:16]}"
    accounts = {a.key: a for a in held}
    with lake.duck() as con:
        con.execute(_ADJUSTED.format(records=quoted(folder / "records")))
        left_out = dict(con.execute(_LEFT).fetchall())
        made = tuple(_adjustment(accounts, *row) for row in con.execute(_LINES).fetchall())
        if not made:
            raise GateError(_nothing(folder.name, left_out))
        staged = lake.stage_query(con, "invoice/adjusted", batch_sid, _RECORDS.format(batch_sid=batch_sid))
    with ledger.transaction() as tx:
        post(tx, Batch(batch_sid, WHATIF, by, now, reason), made)
        lake.commit(tx, [staged], at=now, stage="invoice", note=f"{batch_sid}: {reason}")
    export(lake, ledger, at=now)
    return Posted(batch_sid, made, left_out)


def _adjustment(
    accounts: dict[tuple[str, str], Account],
    payer: str,
    payee: str,
    invoice_sid: str,
    line_no: int,
    number: str,
    currency: str,
    kind: str,
    direction: str | None,
    country: str | None,
    described: str,
    start: datetime,
    end: datetime,
    records: int,
    amount: Decimal,
    usage: Decimal,
) -> Adjustment:
    account = accounts.get((payer, payee))
    if account is None:
        msg = (
            f"{payer} is no customer of {payee} any more: put it back into customers.csv. Nothing was posted."
        )
        raise GateError(msg)
    first = described if described.startswith(("SMS", "MMS")) else described[0].lower() + described[1:]
    return Adjustment(
        payer,
        account.seller.key,
        currency,
        f"Adjustment to {number}, line {line_no}: {first}",
        amount,
        kind,
        direction,
        country,
        int(quantize(usage, 0, "half_up")),
        records,
        invoice_sid,
        line_no,
        Period(start.astimezone(UTC), end.astimezone(UTC)),
    )


def _nothing(name: str, left_out: dict[str, Any]) -> str:
    why = ", ".join(f"{count} records: {reason}" for reason, count in left_out.items())
    return (
        f"the what-if {name} has nothing to post: what was billed, with what was posted before, is what it says"
        f"{f' ({why})' if why else ''}. A record that is not billed yet is billed on the plan in use: import the plan "
        "or assign it, and rate again."
    )
