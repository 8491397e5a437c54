-- purpose: one customer's usage and charges by day
-- grain:   one row per UTC day of the month
-- reads:   rate.calls, rate.messages
with spine as (
    select unnest(generate_series($first::timestamp, $after::timestamp - interval 1 day, interval 1 day))::date as day
),

charges as (
    select service, date_stop, base_seconds, amount,
        base_seconds > 0 or unrated_reason = 'answer_missing' as is_answered
    from rate.calls
    where side = 'charge' and payer_sid = $customer
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
    union all
    select service, date_stop, null, amount, null
    from rate.messages
    where side = 'charge' and payer_sid = $customer
        and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
),

dated as (
    select *, (date_stop at time zone 'UTC')::date as day from charges
)

select
    day,
    count(*) filter (service = 'call') as calls,
    count(*) filter (is_answered) as answered,
    count(*) filter (not is_answered) as unanswered,
    coalesce(sum(base_seconds), 0)::decimal(38, 3) as talk_seconds,
    count(*) filter (service = 'message') as messages,
    coalesce(sum(amount), 0) as amount
from spine
left join dated using (day)
group by day
order by day
