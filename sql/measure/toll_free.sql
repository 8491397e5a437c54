-- purpose: toll-free traffic, which the called party pays for: volume, cost and what customers pay for it
-- grain:   one row per month, service, direction, customer and currency
-- reads:   measure.money_days, land.partners
-- Calls are toll-free by the number that was matched, messages by the family of their plan.
with priced as (
    select
        date_trunc('month', day)::date as month, service, direction, customer_sid, level, records, answered,
        talk_seconds, billed_units, amount,
        coalesce(currency, max(currency) over (partition by day), 'USD') as currency
    from measure.money_days
    where level <= 1 and (item_type = 'toll_free' or family = 'toll_free')
),

sums as (
    select
        month, service, direction, customer_sid, currency,
        coalesce(sum(records) filter (level = 0), 0)::bigint as records,
        coalesce(sum(answered) filter (level = 0), 0)::bigint as answered,
        coalesce(sum(talk_seconds) filter (level = 0), 0)::decimal(38, 3) as talk_seconds,
        coalesce(sum(billed_units) filter (level = 0), 0)::bigint as billed_units,
        coalesce(sum(amount) filter (level = 1), 0)::decimal(38, 10) as revenue,
        coalesce(sum(amount) filter (level = 0), 0)::decimal(38, 10) as cost
    from priced
    group by all
)

select
    month, service, direction, customer_sid as partner_sid, partners.company_name, records, answered, talk_seconds,
    billed_units, currency, revenue, cost, revenue - cost as margin
from sums
left join land.partners as partners on partners.partner_sid = customer_sid
order by month desc, margin, service, direction, partner_sid, currency
