-- purpose: the prefixes that cost us most
-- grain:   one row per matched prefix of the provider's plan
-- reads:   rate.calls, land.countries
with outbound as (
    select source, dr_sid, level, country_code, matched_prefix, currency, base_seconds, amount
    from rate.calls
    where direction = 'outbound' and rating_status = 'rated' and level <= 1
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
),

charges as (
    select source, dr_sid, sum(amount) as revenue from outbound where level = 1 group by all
)

select
    costs.matched_prefix as prefix,
    any_value(countries.common_name) as country,
    costs.currency,
    count(*) as calls,
    sum(costs.base_seconds)::decimal(38, 3) as talk_seconds,
    coalesce(sum(charges.revenue), 0) as revenue,
    sum(costs.amount) as cost,
    coalesce(sum(charges.revenue), 0) - sum(costs.amount) as margin
from outbound as costs
left join charges using (source, dr_sid)
left join land.countries as countries on countries.iso_3166_alpha_3 = costs.country_code
where costs.level = 0
group by costs.matched_prefix, costs.currency
order by cost desc, prefix
limit 25
