-- purpose: what each customer brings in and what its traffic costs us
-- grain:   one row per customer that we charge (level 1) and currency
-- reads:   measure.customer_days, measure.money_days, land.partners
-- Traffic of our own has a cost and no revenue. Where a customer pays in another currency than we do, its cost is a row
-- of its own.
with own as (
    select distinct payer_sid as customer_sid
    from measure.money_days
    where level = 1 and unrated_reason = 'own_use' and day >= $first and day < $after
),

sums as (
    select
        customer_sid, currency,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(messages)::bigint as messages,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from measure.customer_days
    where day >= $first and day < $after
    group by customer_sid, currency
)

select
    customer_sid as partner_sid, partners.company_name, own.customer_sid is not null as own_use, currency, calls, answered,
    messages, talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join own using (customer_sid)
left join land.partners as partners on partners.partner_sid = customer_sid
order by revenue desc, cost desc, partner_sid, currency
