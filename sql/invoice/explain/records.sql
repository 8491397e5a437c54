-- The records that a line of an invoice took, each with the rate behind it and what bundles and tiers made of that.
-- Grain:  one row per record of the line.
-- Reads:  invoice.claims, invoice.invoices, invoice.draws, invoice.adjusted, rate.calls, rate.messages
-- Rules:  amount is what the line took. Of a record that had been billed it is a difference: before is what all earlier
--         invoices and credit notes come to; 0 of one that was given back. Where the record has changed or been rated
--         anew since, today's rate did not make the amount: it is told as changed, without the rate.
with claimed as (
    select * from invoice.claims
    where invoice_sid = $sid and line_no = $line
),

-- All that was drawn for a record until then, and of that what this invoice drew.
drawn as (
    select
        c.source, c.dr_sid, sum(d.amount)::decimal(20, 10) as total,
        (sum(d.amount) filter (d.invoice_sid = $sid))::decimal(20, 10) as amount,
        string_agg(distinct d.kind || ' ' || d.key || ', ' || d.name, ' and ') filter (d.invoice_sid = $sid) as names
    from claimed as c
    join invoice.draws as d
        on d.source = c.source and d.dr_sid = c.dr_sid and d.payer_sid = c.payer_sid and d.payee_sid = c.payee_sid
        and (d.revision < c.revision or (d.invoice_sid = $sid and d.redrawn_at is null))
    group by all
),

earlier as (
    select e.source, e.dr_sid, e.payer_sid, e.payee_sid, e.amount, e.usage
    from claimed as c
    join invoice.claims as e
        on e.source = c.source and e.dr_sid = c.dr_sid and e.payer_sid = c.payer_sid and e.payee_sid = c.payee_sid
    join invoice.invoices as v on v.invoice_sid = e.invoice_sid
    where v.date_created < (from invoice.invoices select date_created where invoice_sid = $sid)
    union all
    select e.source, e.dr_sid, e.payer_sid, e.payee_sid, e.amount, e.usage
    from claimed as c
    join invoice.adjusted as e
        on e.source = c.source and e.dr_sid = c.dr_sid and e.payer_sid = c.payer_sid and e.payee_sid = c.payee_sid
        and e.revision < c.revision
),

before as (
    select source, dr_sid, sum(amount)::decimal(20, 10) as amount, sum(usage)::decimal(18, 3) as usage
    from earlier
    group by all
),

rated as (
    select
        source, dr_sid, side, payer_sid, revision, matched_number, matched_prefix, plan_sid, plan_version, rate_price,
        unit_seconds, connect_fee, amount
    from rate.calls
    where dr_sid in (select dr_sid from claimed where service = 'call')
    union all
    select
        source, dr_sid, side, payer_sid, revision, matched_number, matched_prefix, plan_sid, plan_version, rate_price,
        null, null, amount
    from rate.messages
    where dr_sid in (select dr_sid from claimed where service = 'message')
),

told as (
    select
        c.*, d.amount as drawn, d.names as drawn_from, b.amount as before, b.usage as usage_before, r.matched_number,
        r.matched_prefix, r.plan_sid, r.plan_version, r.rate_price, r.unit_seconds, r.connect_fee,
        coalesce(
            r.revision <> c.revision
            or coalesce(r.amount, 0) + coalesce(d.total, 0) <> c.amount + coalesce(b.amount, 0),
            true
        ) as changed
    from claimed as c
    left join drawn as d on d.source = c.source and d.dr_sid = c.dr_sid
    left join before as b on b.source = c.source and b.dr_sid = c.dr_sid
    left join rated as r
        on r.source = c.source and r.dr_sid = c.dr_sid and r.side = c.side and r.payer_sid = c.payer_sid
)

select
    dr_sid, service, date_stop, revision, matched_number as number,
    case when not changed then matched_prefix end as prefix,
    case when not changed then plan_sid end as plan_sid,
    case when not changed then plan_version end as plan_version,
    case when not changed then rate_price end as price,
    case when not changed then unit_seconds end as unit_seconds,
    case when not changed then connect_fee end as connect_fee,
    usage, usage_before, before, drawn, drawn_from, amount, changed
from told
order by date_stop, dr_sid
