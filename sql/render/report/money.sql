-- purpose: what the month's traffic brings in and what it costs
-- grain:   one row per currency
-- reads:   measure.traffic, rate.calls, rate.messages, invoice.draws
-- Charges are at the price of the plans; bundles and tiers change them once they are invoiced.
with traffic as (
    select
        currency,
        coalesce(sum(revenue) filter (service = 'call'), 0) as calls,
        coalesce(sum(revenue) filter (service = 'message'), 0) as messages,
        sum(cost) as cost
    from measure.traffic
    where day >= $first and day < $after
    group by currency
),

charges as (
    select source, dr_sid, payer_sid, payee_sid, currency from rate.calls where level = 1
    union all
    select source, dr_sid, payer_sid, payee_sid, currency from rate.messages where level = 1
),

drawn as (
    select charges.currency, sum(draws.amount) as drawn
    from invoice.draws as draws
    inner join charges using (source, dr_sid, payer_sid, payee_sid)
    where draws.date_stop >= $first::timestamptz and draws.date_stop < $after::timestamptz
    group by charges.currency
)

select
    currency, calls, messages,
    coalesce(drawn, 0) as drawn,
    calls + messages + coalesce(drawn, 0) as revenue,
    cost,
    calls + messages + coalesce(drawn, 0) - cost as margin
from traffic
left join drawn using (currency)
order by revenue desc, currency
