-- What a customer has used in a period, at the price of its plans.
-- Grain: one row per kind of usage and local day.
-- Reads: rate.calls, rate.messages
with charges as (
    select item_type, date_stop, billed_seconds as usage, amount
    from rate.calls
    where side = 'charge' and rating_status = 'rated' and payer_sid = $customer and currency = $currency
        and date_stop >= $start and date_stop < $end
    union all
    select item_type, date_stop, billed_units, amount
    from rate.messages
    where side = 'charge' and rating_status = 'rated' and payer_sid = $customer and currency = $currency
        and date_stop >= $start and date_stop < $end
)

select
    item_type, (date_stop at time zone $zone)::date as day,
    count(*) as records, floor(sum(usage))::bigint as usage, sum(amount)::decimal(38, 10) as amount
from charges
group by all
order by item_type, day
