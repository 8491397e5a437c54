-- purpose: what each of our customers brings in and what its traffic costs us, the worst margin first
-- grain:   one row per month, customer that we charge (level 1) and currency
-- reads:   measure.customer_days, land.partners
with sums as (
    select
        date_trunc('month', day)::date as month, customer_sid, currency,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(messages)::bigint as messages,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(billed_seconds)::decimal(38, 3) as billed_seconds,
        sum(billed_units)::bigint as billed_units,
        sum(drawn)::decimal(38, 10) as drawn,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from measure.customer_days
    group by all
)

select
    month, customer_sid as partner_sid, partners.company_name, calls, answered, messages, talk_seconds, billed_seconds,
    billed_units, currency, drawn, revenue, cost, revenue - cost as margin
from sums
left join land.partners as partners on partners.partner_sid = customer_sid
order by month desc, margin, partner_sid, currency
