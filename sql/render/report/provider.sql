-- purpose: the provider's charges beside our own rating of its plans
-- grain:   one row per service and month
-- reads:   measure.money_days
select
    service,
    sum(records)::bigint as records,
    coalesce(sum(provider_price), 0)::decimal(38, 12) as charged,
    coalesce(sum(amount), 0)::decimal(38, 10) as expected,
    coalesce(sum(provider_price), 0)::decimal(38, 12) - coalesce(sum(amount), 0)::decimal(38, 10) as difference
from measure.money_days
where side = 'cost' and day >= $first and day < $after
group by service
order by service
