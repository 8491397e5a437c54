-- purpose: the prefixes that cost us most
-- grain:   one row per matched prefix of the provider's plan, and currency
-- reads:   measure.prefixes
-- What is charged in another currency than it costs is a row of its own.
select
    prefix,
    any_value(country) as country,
    currency,
    sum(calls)::bigint as calls,
    sum(talk_seconds)::decimal(38, 3) as talk_seconds,
    sum(revenue)::decimal(38, 10) as revenue,
    sum(cost)::decimal(38, 10) as cost,
    sum(margin)::decimal(38, 10) as margin
from measure.prefixes
where month = $first
group by prefix, currency
order by cost desc, prefix, currency
limit 25
