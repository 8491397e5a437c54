-- purpose: which prefixes of which plans calls were priced by, and what the provider's prefixes earn
-- grain:   one row per UTC day, direction, side, plan and version, matched prefix, country, currency, and on the cost side
--          the currency in which the same calls are charged
-- reads:   rate.calls
-- On the cost side amount is what the calls cost and revenue what we charge for them (level 1), each in its currency; a
-- call's first charge stands at the same place among the charges as its cost does among the costs. On the charge side
-- the plan is ours, and revenue is null. Calls that no row of a plan was found for are not here.
with rated as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time, direction, side, level, plan_sid, plan_version, matched_prefix,
        country_code, currency, base_seconds, billed_seconds, amount
    from rate.calls
),

costs as (
    select cost.*, charge.*
    from (select * from rated where level = 0) as cost
    positional join (select currency as revenue_currency, amount as revenue from rated where level = 1) as charge
),

counted as (
    select
        day_of_time, direction, side, plan_sid, plan_version, matched_prefix, country_code, currency, revenue_currency,
        count(*) as calls,
        coalesce(sum(base_seconds), 0)::decimal(18, 3) as talk_seconds,
        coalesce(sum(billed_seconds), 0)::decimal(18, 3) as billed_seconds,
        coalesce(sum(amount), 0)::decimal(20, 10) as amount,
        coalesce(sum(revenue), 0)::decimal(20, 10) as revenue
    from costs
    where matched_prefix is not null
    group by all
    union all
    select
        day_of_time, direction, side, plan_sid, plan_version, matched_prefix, country_code, currency, null,
        count(*),
        coalesce(sum(base_seconds), 0)::decimal(18, 3),
        coalesce(sum(billed_seconds), 0)::decimal(18, 3),
        coalesce(sum(amount), 0)::decimal(20, 10),
        null
    from rated
    where level > 0 and matched_prefix is not null
    group by all
)

select date '1970-01-01' + day_of_time::integer as day, * exclude (day_of_time)
from counted
order by day, direction, side, plan_sid, plan_version, matched_prefix, country_code, currency, revenue_currency
