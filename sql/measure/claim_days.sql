-- measure.claim_days: what invoices took, what they drew on bundles and tiers, and what was adjusted, added up with marks.
--
-- Grain:  one row per file of claims, draws or adjusted records, invoice, UTC day, service, payer, payee, kind, and whether
--         it is about later revisions.
-- Reads:  invoice.claims, invoice.draws, invoice.adjusted, each with the name of its file
-- The marks are those of measure.charge_days: where the same records are claimed at the same price, they are the same.
with taken as (
    select file, invoice_sid, 'claim' as what, service, payer_sid, payee_sid, date_stop, revision > 1 as revised,
        amount, usage, hash(source, dr_sid) as mark
    from invoice.claims
    union all
    select file, invoice_sid, kind, service, payer_sid, payee_sid, date_stop, revision > 1, amount, 0,
        hash(source, dr_sid)
    from invoice.draws
    union all
    select file, batch_sid, 'adjusted', service, payer_sid, payee_sid, date_stop, revision > 1, amount, usage,
        hash(source, dr_sid)
    from invoice.adjusted
),

weighed as (
    select *, epoch_ms(date_stop) // 86400000 as days, (mark >> 32)::decimal(10, 0) as weight
    from taken
)

select
    file, invoice_sid, what, date '1970-01-01' + days::integer as day,
    service, payer_sid, payee_sid, revised,
    count(*) as records,
    coalesce(sum(usage), 0)::decimal(38, 3) as usage,
    coalesce(sum(amount), 0)::decimal(38, 10) as money,
    sum(mark)::decimal(38, 0) as mark,
    coalesce(sum(weight * usage), 0)::decimal(38, 3) as usage_mark,
    coalesce(sum(weight * amount), 0)::decimal(38, 10) as money_mark
from weighed
group by file, invoice_sid, what, days, service, payer_sid, payee_sid, revised
