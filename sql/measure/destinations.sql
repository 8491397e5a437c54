-- purpose: where the outbound minutes go, and what each destination earns
-- grain:   one row per country and matched prefix of the provider's plan
-- reads:   rate.calls, land.countries
with outbound as (
    select source, dr_sid, level, country_code, matched_prefix, base_seconds, amount
    from rate.calls
    where direction = 'outbound' and rating_status = 'rated' and level <= 1
),

costs as (
    select * from outbound where level = 0
),

charges as (
    select source, dr_sid, sum(amount) as revenue from outbound where level = 1 group by all
),

final as (
    select
        costs.country_code,
        any_value(countries.common_name) as country,
        costs.matched_prefix as prefix,
        count(*) as calls,
        sum(costs.base_seconds) as talk_seconds,
        coalesce(sum(charges.revenue), 0) as revenue,
        sum(costs.amount) as cost,
        coalesce(sum(charges.revenue), 0) - sum(costs.amount) as margin
    from costs
    left join charges using (source, dr_sid)
    left join land.countries as countries on countries.iso_3166_alpha_3 = costs.country_code
    group by costs.country_code, costs.matched_prefix
)

select * from final
order by talk_seconds desc, prefix
