-- purpose: what one customer used, and what it comes to at the prices of its plans
-- grain:   one row per kind of usage, direction, country and currency
-- reads:   measure.money_days, land.countries
with charges as (
    select *
    from measure.money_days
    where side = 'charge' and payer_sid = $customer and day >= $first and day < $after
)

select
    item_type, direction, country_code,
    any_value(countries.common_name) as country,
    sum(records)::bigint as records,
    coalesce(sum(records) filter (rating_status = 'rated'), 0)::bigint as rated,
    coalesce(sum(records) filter (rating_status = 'not_billable'), 0)::bigint as free,
    coalesce(sum(records) filter (rating_status = 'unrated'), 0)::bigint as unrated,
    coalesce(sum(billed_seconds) filter (rating_status = 'rated'), 0)::decimal(38, 3) as billed_seconds,
    coalesce(sum(billed_units) filter (rating_status = 'rated'), 0)::bigint as units,
    currency,
    coalesce(sum(amount), 0)::decimal(38, 10) as amount
from charges
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
group by item_type, direction, country_code, currency
order by amount desc, records desc, item_type, direction, country_code
