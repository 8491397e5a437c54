-- purpose: the provider's charges beside our own rating of its plans
-- grain:   one row per service and month
-- reads:   rate.calls, rate.messages
with costs as (
    select service, provider_price, amount from rate.calls
    where side = 'cost' and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
    union all
    select service, provider_price, amount from rate.messages
    where side = 'cost' and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
)

select
    service,
    count(*) as records,
    coalesce(sum(provider_price), 0) as charged,
    coalesce(sum(amount), 0) as expected,
    coalesce(sum(provider_price), 0) - coalesce(sum(amount), 0) as difference
from costs
group by service
order by service
