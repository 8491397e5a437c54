-- invoice/adjusting, first step: what was billed of the records of those whom a what-if asks about, at the plan's price.
--
-- Grain:  one row per record, payer and payee that an invoice holds.
-- Reads:  asked (the what-if), invoice.claims, invoice.invoices, invoice.adjusted, invoice.draws
with claimed as (
    select
        c.service, c.source, c.dr_sid, c.payer_sid, c.payee_sid, max(c.revision) as revision,
        arg_max(c.date_stop, c.revision) as date_stop, bool_and(i.number is not null) as issued,
        sum(c.amount) as amount, sum(c.usage) as usage,
        arg_min(c.invoice_sid, c.revision) filter (c.line_no > 0) as of_invoice_sid,
        arg_min(c.line_no, c.revision) filter (c.line_no > 0) as of_line_no
    from invoice.claims as c
    join invoice.invoices as i on i.invoice_sid = c.invoice_sid
    where c.payer_sid in (select payer_sid from asked)
    group by c.service, c.source, c.dr_sid, c.payer_sid, c.payee_sid
    having sum(c.amount) <> 0 or sum(c.usage) <> 0
),

-- Claims and adjustments are what is paid: with what bundles and tiers have drawn.
beside as (
    select source, dr_sid, payer_sid, payee_sid, sum(amount) as amount, sum(usage) as usage
    from (
        select source, dr_sid, payer_sid, payee_sid, amount, usage from invoice.adjusted
        union all
        select source, dr_sid, payer_sid, payee_sid, -amount, 0 from invoice.draws
    )
    where payer_sid in (select payer_sid from asked)
    group by source, dr_sid, payer_sid, payee_sid
)

select
    c.* replace (
        (c.amount + coalesce(b.amount, 0))::decimal(20, 10) as amount,
        (c.usage + coalesce(b.usage, 0))::decimal(18, 3) as usage
    )
from claimed as c
left join beside as b using (source, dr_sid, payer_sid, payee_sid)
