-- purpose: whether messages arrive: by status and operator
-- grain:   one row per direction, type, status and operator
-- reads:   measure.message_days
select
    direction, type, status, provider,
    sum(messages)::bigint as messages,
    sum(segments)::bigint as segments,
    ((sum(sent_ms) + 50 * sum(sent)) // nullif(100 * sum(sent), 0))::decimal(18, 0) * 0.1::decimal(2, 1) as delay_seconds
from measure.message_days
where day >= $first and day < $after
group by all
order by messages desc, direction, type, status, provider
