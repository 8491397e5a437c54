-- purpose: what each customer used in a month, by kind of service
-- grain:   one row per customer, service, direction and currency
-- reads:   rate.calls, rate.messages
with used as (
    select payer_sid, service, direction, currency, billed_seconds, 0::bigint as messages, amount
    from rate.calls
    where side = 'charge' and level = 1 and in_period(date_stop, '2026-03')
    union all
    select payer_sid, service, direction, currency, 0::decimal(18, 3), 1::bigint, amount
    from rate.messages
    where side = 'charge' and level = 1 and in_period(date_stop, '2026-03')
)

select
    payer_sid, service, direction, currency,
    count(*) as records, sum(billed_seconds) as billed_seconds, sum(messages) as messages, sum(amount) as amount
from used
group by all
order by amount desc nulls last, payer_sid, service, direction;
