-- purpose: what became of messages: status, segments, and the operator that took them
-- grain:   one row per UTC day of date_insert, direction, type, partner, status, operator, mcc and mnc
-- reads:   land.messages
-- units are segments times recipients: what is billed. sent are those that were handed on; sent_ms is how long that took.
with counted as (
    select
        epoch_ms(date_insert) // 86400000 as day_of_time,
        direction, type, partner_sid, status, provider, mcc, mnc,
        count(*) as messages,
        coalesce(sum(message_segments), 0)::bigint as segments,
        coalesce(sum(coalesce(message_segments, 0) * coalesce(recipients, 1)), 0)::bigint as units,
        count(date_sent) as sent,
        coalesce(sum(epoch_ms(date_sent) - epoch_ms(date_start)), 0)::bigint as sent_ms
    from land.messages
    group by all
)

select date '1970-01-01' + day_of_time::integer as day, * exclude (day_of_time)
from counted
order by day, direction, type, partner_sid, status, provider, mcc, mnc
