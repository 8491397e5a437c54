-- purpose: every record that has landed and is rated is in the roll-ups, once
-- grain:   one row per table, and day on which a roll-up counts otherwise than the records
-- reads:   land.calls, land.messages, rate.calls, rate.messages, measure.call_hours, measure.message_days,
--          measure.money_days
with counted as (
    select 'call_hours' as rollup, epoch_ms(date_stop) // 86400000 as day_of_time, count(*) as records, 0 as rolled
    from land.calls
    group by all
    union all
    select 'message_days', epoch_ms(date_insert) // 86400000, count(*), 0 from land.messages group by all
    union all
    select 'money_days', epoch_ms(date_stop) // 86400000, count(*), 0 from rate.calls group by all
    union all
    select 'money_days', epoch_ms(date_stop) // 86400000, count(*), 0 from rate.messages group by all
    union all
    select 'call_hours', day - date '1970-01-01', 0, calls from measure.call_hours
    union all
    select 'message_days', day - date '1970-01-01', 0, messages from measure.message_days
    union all
    select 'money_days', day - date '1970-01-01', 0, records from measure.money_days
)

select
    rollup, date '1970-01-01' + day_of_time::integer as day, sum(records)::bigint as records,
    sum(rolled)::bigint as rolled
from counted
group by rollup, day_of_time
having sum(records) <> sum(rolled)
order by rollup, day
