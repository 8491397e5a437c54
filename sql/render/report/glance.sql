-- purpose: the month in one row, and the month before it in another
-- grain:   one row per month, the month asked for first
-- reads:   measure.call_hours, measure.message_days
with counted as (
    select day, calls, answered, effective, talk_ms, 0 as messages, 0 as units from measure.call_hours
    union all
    select day, 0, 0, 0, 0, messages, units from measure.message_days
)

select
    date_trunc('month', day)::date as month,
    sum(calls)::bigint as calls,
    sum(answered)::bigint as answered,
    sum(effective)::bigint as effective,
    sum(talk_ms)::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds,
    sum(messages)::bigint as messages,
    sum(units)::bigint as message_units
from counted
where day >= $before and day < $after
group by all
order by month desc
