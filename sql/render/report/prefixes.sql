-- purpose: the prefixes that cost us most
-- grain:   one row per matched prefix of the provider's plans, and currency
-- reads:   measure.prefix_days, land.countries
-- What is charged in another currency than it costs is a row of its own. The default row of a plan has no prefix.
with days as (
    select matched_prefix, country_code, currency, revenue_currency, calls, talk_seconds, amount, revenue
    from measure.prefix_days
    where side = 'cost' and day >= $first and day < $after
),

sides as (
    select matched_prefix, country_code, currency, calls, talk_seconds, amount as cost,
        case when revenue_currency = currency then revenue else 0 end as revenue
    from days
    union all
    select matched_prefix, country_code, revenue_currency, 0, 0, 0, revenue
    from days
    where revenue_currency <> currency or currency is null
),

sums as (
    select
        matched_prefix, currency,
        any_value(country_code) filter (matched_prefix <> '') as country_code,
        sum(calls)::bigint as calls,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from sides
    group by matched_prefix, currency
    order by cost desc, matched_prefix, currency
    limit 25
)

select
    case when matched_prefix = '' then 'default row' else matched_prefix end as prefix,
    countries.common_name as country, currency, calls, talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
order by cost desc, prefix, currency
