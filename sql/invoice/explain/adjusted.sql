-- The records behind a line that a committed what-if added to an invoice, each with its difference.
-- Grain:  one row per record of the line.
-- Reads:  invoice.adjustments, invoice.adjusted, invoice.claims, invoice.invoices
-- Rules:  before is what had been billed for a record when that was decided, earlier what-ifs included.
with line as (
    select r.*, a.adjustment_id, a.at
    from invoice.adjustments as a
    join invoice.adjusted as r
        on r.batch_sid = a.batch_sid and r.of_invoice_sid = a.of_invoice_sid and r.of_line_no = a.of_line_no
        and r.payer_sid = a.partner_sid
    where a.invoice_sid = $sid and a.line_no = $line
),

billed as (
    select l.source, l.dr_sid, c.amount
    from line as l
    join invoice.claims as c
        on c.source = l.source and c.dr_sid = l.dr_sid and c.payer_sid = l.payer_sid and c.payee_sid = l.payee_sid
    join invoice.invoices as v on v.invoice_sid = c.invoice_sid and v.date_issued <= l.at
    union all
    select l.source, l.dr_sid, r.amount
    from line as l
    join invoice.adjusted as r
        on r.source = l.source and r.dr_sid = l.dr_sid and r.payer_sid = l.payer_sid and r.payee_sid = l.payee_sid
    join invoice.adjustments as a
        on a.batch_sid = r.batch_sid and a.of_invoice_sid = r.of_invoice_sid and a.of_line_no = r.of_line_no
        and a.partner_sid = r.payer_sid and a.adjustment_id < l.adjustment_id
),

before as (
    select source, dr_sid, sum(amount)::decimal(20, 10) as amount from billed
    group by all
)

select
    l.dr_sid, l.service, l.date_stop, l.revision, l.plan_sid, l.plan_version, l.usage, b.amount as before, l.drawn,
    l.amount
from line as l
left join before as b on b.source = l.source and b.dr_sid = l.dr_sid
order by l.date_stop, l.dr_sid
