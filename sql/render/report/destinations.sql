-- purpose: where the outbound calls go, and what each country earns
-- grain:   one row per country and currency
-- reads:   measure.traffic, land.countries
select
    country_code,
    any_value(countries.common_name) as country,
    currency,
    sum(attempts)::bigint as calls,
    sum(answered)::bigint as answered,
    round(100.0 * sum(answered) / nullif(sum(attempts), 0), 1) as asr_percent,
    sum(talk_seconds)::decimal(38, 3) as talk_seconds,
    sum(revenue) as revenue,
    sum(cost) as cost,
    sum(margin) as margin
from measure.traffic
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
where service = 'call' and direction = 'outbound' and day >= $first and day < $after
group by country_code, currency
order by talk_seconds desc, country_code
