-- measure.charge_days: what was charged and rated, added up, with marks by which it is compared with what invoices took.
--
-- Grain:  one row per UTC day, service, payer, payee, currency, and whether it is about later revisions.
-- Reads:  rate.calls, rate.messages
-- A mark is a sum of the records' hashes: two sets of records have the same when they are the same. Weighted by money or
-- usage it is the same where each record has the same. Of later revisions only the number is of use.
with charges as (
    select
        service, payer_sid, payee_sid, currency, date_stop, revision > 1 as revised, amount, billed_seconds as usage,
        hash(source, dr_sid) as mark
    from rate.calls
    where side = 'charge' and (rating_status = 'rated' or revision > 1)
    union all
    select
        service, payer_sid, payee_sid, currency, date_stop, revision > 1, amount, billed_units::decimal(18, 3),
        hash(source, dr_sid)
    from rate.messages
    where side = 'charge' and (rating_status = 'rated' or revision > 1)
),

-- A day as a number is found in a third of the time that a date takes.
weighed as (
    select *, epoch_ms(date_stop) // 86400000 as days, (mark >> 32)::decimal(10, 0) as weight
    from charges
)

select
    date '1970-01-01' + days::integer as day,
    service, payer_sid, payee_sid, currency, revised,
    count(*) as records,
    coalesce(sum(usage), 0)::decimal(38, 3) as usage,
    coalesce(sum(amount), 0)::decimal(38, 10) as money,
    min(date_stop) as first_stop,
    max(date_stop) as last_stop,
    sum(mark)::decimal(38, 0) as mark,
    coalesce(sum(weight * usage), 0)::decimal(38, 3) as usage_mark,
    coalesce(sum(weight * amount), 0)::decimal(38, 10) as money_mark
from weighed
group by days, service, payer_sid, payee_sid, currency, revised
order by all
