-- purpose: the prefixes that cost us most
-- grain:   one row per matched prefix of the provider's plan, and currency
-- reads:   measure.prefixes
-- What is charged in another currency than it costs is a row of its own. The default row of a plan has no prefix.
select
    case when prefix = '' then 'default row' else prefix end as prefix,
    any_value(country) filter (prefix <> '') as country,
    currency,
    sum(calls)::bigint as calls,
    sum(talk_seconds)::decimal(38, 3) as talk_seconds,
    sum(revenue)::decimal(38, 10) as revenue,
    sum(cost)::decimal(38, 10) as cost,
    sum(margin)::decimal(38, 10) as margin
from measure.prefixes as prefixes
where month = $first
group by prefixes.prefix, currency
order by cost desc, prefixes.prefix, currency
limit 25
