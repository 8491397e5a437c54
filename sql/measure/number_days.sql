-- purpose: what each number on our side was used for: numbers in use and idle, the busiest numbers, Mediator numbers
-- grain:   one row per UTC day, service, type of record, direction, partner and number_billing
-- reads:   land.calls, land.messages
-- answered is talk time present, as in measure.call_hours. The day of a message is that of date_insert.
with used as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time, 'call' as service, type, direction, partner_sid, number_billing,
        count(*) as records,
        count(*) filter (date_stop > date_talk) as answered,
        coalesce(sum(greatest(epoch_ms(date_stop) - epoch_ms(date_talk), 0)), 0)::bigint as talk_ms,
        null::bigint as segments
    from land.calls
    group by all
    union all
    select
        epoch_ms(date_insert) // 86400000, 'message', type, direction, partner_sid, number_billing,
        count(*), null, null, coalesce(sum(message_segments), 0)::bigint
    from land.messages
    group by all
)

select
    date '1970-01-01' + day_of_time::integer as day,
    service, type, direction, partner_sid, number_billing as number, records, answered, talk_ms, segments
from used
order by day, service, type, direction, partner_sid, number
