-- purpose: which prefixes of which plans calls were priced by, and what the provider's prefixes earn
-- grain:   one row per UTC day, side, plan and version, matched prefix, currency, and on the cost side the currency in which
--          the same calls are charged
-- reads:   rate.calls
-- On the cost side amount is what the calls cost and revenue what we charge for them (level 1), each in its currency; a
-- call's first charge stands at the same place among the charges as its cost does among the costs. On the charge side
-- the plan is ours, and revenue is null. Calls that no row of a plan was found for are not here.
with rated as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time, level, plan_sid, plan_version, matched_prefix, country_code,
        currency, base_seconds, amount
    from rate.calls
),

costs as (
    select cost.*, charge.*
    from (select * from rated where level = 0) as cost
    positional join (select currency as revenue_currency, amount as revenue from rated where level = 1) as charge
),

counted as (
    select
        day_of_time, 'cost' as side, plan_sid, plan_version, matched_prefix, currency, revenue_currency,
        any_value(country_code) as country_code,
        count(*) as calls,
        sum(base_seconds) as talk_seconds,
        sum(amount) as amount,
        coalesce(sum(revenue), 0) as revenue
    from costs
    where matched_prefix is not null
    group by day_of_time, plan_sid, plan_version, matched_prefix, currency, revenue_currency
    union all
    select
        day_of_time, 'charge', plan_sid, plan_version, matched_prefix, currency, null,
        any_value(country_code), count(*), sum(base_seconds), sum(amount), null
    from rated
    where level > 0 and matched_prefix is not null
    group by day_of_time, plan_sid, plan_version, matched_prefix, currency
)

select
    date '1970-01-01' + day_of_time::integer as day,
    side, plan_sid, plan_version, matched_prefix, country_code, currency, revenue_currency, calls,
    coalesce(talk_seconds, 0)::decimal(18, 3) as talk_seconds,
    coalesce(amount, 0)::decimal(20, 10) as amount,
    revenue::decimal(20, 10) as revenue
from counted
order by day, side, plan_sid, plan_version, matched_prefix, currency, revenue_currency
