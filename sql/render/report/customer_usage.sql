-- purpose: what one customer used, and what it comes to at the prices of its plans
-- grain:   one row per kind of usage, direction, country and currency
-- reads:   rate.calls, rate.messages, land.countries
with charges as (
    select item_type, direction, country_code, rating_status, billed_seconds, null as units, amount, currency
    from rate.calls
    where side = 'charge' and payer_sid = $customer
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
    union all
    select item_type, direction, country_code, rating_status, null, billed_units, amount, currency
    from rate.messages
    where side = 'charge' and payer_sid = $customer
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
)

select
    item_type, direction, country_code,
    any_value(countries.common_name) as country,
    count(*) as records,
    count(*) filter (rating_status = 'rated') as rated,
    count(*) filter (rating_status = 'not_billable') as free,
    count(*) filter (rating_status = 'unrated') as unrated,
    coalesce(sum(billed_seconds) filter (rating_status = 'rated'), 0)::decimal(38, 3) as billed_seconds,
    coalesce(sum(units) filter (rating_status = 'rated'), 0)::bigint as units,
    currency,
    coalesce(sum(amount), 0) as amount
from charges
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
group by item_type, direction, country_code, currency
order by amount desc, records desc, item_type, direction, country_code
