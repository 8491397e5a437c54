-- purpose: volume and quality by day
-- grain:   one row per UTC day of the month
-- reads:   measure.call_hours, measure.message_days
-- ASR = answered / calls, NER = effective / calls, ACD = talk seconds / answered calls (ITU-T E.425), on integers.
with spine as (
    select unnest(generate_series($first::timestamp, $after::timestamp - interval 1 day, interval 1 day))::date as day
),

calls as (
    select day, sum(calls)::bigint as calls, sum(answered)::bigint as answered, sum(effective)::bigint as effective,
        sum(talk_ms)::bigint as talk_ms, sum(setup_ms)::bigint as setup_ms
    from measure.call_hours
    where day >= $first and day < $after
    group by day
),

messages as (
    select day, sum(messages)::bigint as messages
    from measure.message_days
    where day >= $first and day < $after
    group by day
)

select
    day,
    coalesce(calls, 0) as calls,
    coalesce(answered, 0) as answered,
    coalesce(calls - answered, 0) as unanswered,
    ((answered * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    ((effective * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as ner_percent,
    coalesce(talk_ms, 0)::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds,
    ((talk_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as acd_seconds,
    ((setup_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as delay_seconds,
    coalesce(messages, 0) as messages
from spine
left join calls using (day)
left join messages using (day)
order by day
