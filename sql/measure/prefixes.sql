-- purpose: what the prefixes of the provider's plans cost and what they earn, the worst margin first
-- grain:   one row per month, direction, plan, prefix and currency
-- reads:   measure.prefix_days, land.countries
-- What is charged in another currency than it costs is a row of its own. An empty prefix is the default row of its plan.
with sides as (
    select
        date_trunc('month', day)::date as month, direction, plan_sid, matched_prefix, country_code,
        unnest([currency, revenue_currency]) as currency,
        unnest([calls, 0]) as calls,
        unnest([talk_seconds, 0]) as talk_seconds,
        unnest([amount, 0]) as cost,
        unnest([0, revenue]) as revenue
    from measure.prefix_days
    where side = 'cost'
),

sums as (
    select
        month, direction, plan_sid, matched_prefix, currency,
        any_value(country_code) as country_code,
        sum(calls)::bigint as calls,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from sides
    where currency is not null
    group by month, direction, plan_sid, matched_prefix, currency
)

select
    month, direction, plan_sid, matched_prefix as prefix, country_code, countries.common_name as country, currency, calls,
    talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
order by month desc, margin, direction, plan_sid, prefix, currency
