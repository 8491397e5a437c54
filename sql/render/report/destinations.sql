-- purpose: where the outbound calls go, and what each country earns
-- grain:   one row per country and currency
-- reads:   measure.traffic, land.countries
with sums as (
    select
        country_code, currency,
        sum(attempts)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(talk_seconds)::decimal(38, 3) as talk_seconds,
        sum(revenue)::decimal(38, 10) as revenue,
        sum(cost)::decimal(38, 10) as cost
    from measure.traffic
    where service = 'call' and direction = 'outbound' and day >= $first and day < $after
    group by country_code, currency
)

select
    country_code, countries.common_name as country, currency, calls, answered,
    ((answered * 2000 + calls) // nullif(2 * calls, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
order by talk_seconds desc, country_code, currency
