-- purpose: what the prefixes of the provider's plans cost and what they earn, the worst margin first
-- grain:   one row per month, plan, prefix and currency
-- reads:   measure.prefix_days, rate.plans, land.countries
-- What is charged in another currency than it costs is a row of its own. An empty prefix is the default row of its plan.
with plans as (
    select plan_sid, any_value(direction) as direction from rate.plans group by plan_sid
),

sides as (
    select
        date_trunc('month', day)::date as month, plan_sid, matched_prefix, country_code, currency, calls, talk_seconds,
        amount as cost, 0 as revenue
    from measure.prefix_days
    where side = 'cost'
    union all
    select
        date_trunc('month', day)::date, plan_sid, matched_prefix, country_code, revenue_currency, 0, 0, 0, revenue
    from measure.prefix_days
    where side = 'cost' and revenue_currency is not null
),

sums as (
    select
        month, plan_sid, matched_prefix, currency,
        any_value(country_code) as country_code,
        sum(calls)::bigint as calls,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from sides
    group by month, plan_sid, matched_prefix, currency
)

select
    month, plan_sid, plans.direction, matched_prefix as prefix, country_code, countries.common_name as country, currency,
    calls, talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join plans using (plan_sid)
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
order by month desc, margin, plan_sid, prefix, currency
