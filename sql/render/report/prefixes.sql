-- purpose: the prefixes that cost us most
-- grain:   one row per matched prefix of the provider's plan, and currency
-- reads:   rate.calls, land.countries
-- What is charged in another currency than it costs is a row of its own.
with outbound as (
    select source, dr_sid, level, country_code, matched_prefix, currency, base_seconds, amount
    from rate.calls
    where direction = 'outbound' and rating_status = 'rated' and level <= 1
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
),

costs as (
    select * from outbound where level = 0
),

sides as (
    select matched_prefix, country_code, currency, base_seconds, amount as cost, null as revenue from costs
    union all
    select costs.matched_prefix, costs.country_code, charges.currency, null, null, charges.amount
    from outbound as charges
    inner join costs using (source, dr_sid)
    where charges.level = 1
)

select
    matched_prefix as prefix,
    any_value(countries.common_name) as country,
    currency,
    count(cost) as calls,
    coalesce(sum(base_seconds), 0)::decimal(38, 3) as talk_seconds,
    coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(cost), 0) as cost,
    coalesce(sum(revenue), 0) - coalesce(sum(cost), 0) as margin
from sides
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
group by matched_prefix, currency
order by cost desc, prefix, currency
limit 25
