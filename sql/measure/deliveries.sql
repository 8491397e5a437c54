-- purpose: whether messages arrive: by status, kind, and the operator that took them
-- grain:   one row per UTC day, direction, type, status, operator, mcc and mnc
-- reads:   measure.message_days
-- The share is that of the day's messages of the same direction and type. delay_seconds is the mean from start to handing
-- on, of those that were handed on, rounded half up to a tenth.
select
    day, direction, type, status, provider, mcc, mnc,
    sum(messages)::bigint as messages,
    sum(segments)::bigint as segments,
    sum(units)::bigint as units,
    ((sum(messages) * 2000 + sum(sum(messages)) over of_type) // (2 * sum(sum(messages)) over of_type))::decimal(18, 0)
        * 0.1::decimal(2, 1) as share_percent,
    ((sum(sent_ms) + 50 * sum(sent)) // nullif(100 * sum(sent), 0))::decimal(18, 0) * 0.1::decimal(2, 1) as delay_seconds
from measure.message_days
group by day, direction, type, status, provider, mcc, mnc
window of_type as (partition by day, direction, type)
order by day, direction, type, messages desc, status, provider, mcc, mnc
