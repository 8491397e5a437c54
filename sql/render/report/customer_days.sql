-- purpose: one customer's usage and charges by day
-- grain:   one row per UTC day of the month
-- reads:   measure.money_days
with spine as (
    select unnest(generate_series($first::timestamp, $after::timestamp - interval 1 day, interval 1 day))::date as day
),

charges as (
    select day, service, records, answered, talk_seconds, amount
    from measure.money_days
    where side = 'charge' and payer_sid = $customer and day >= $first and day < $after
)

select
    day,
    coalesce(sum(records) filter (service = 'call'), 0)::bigint as calls,
    coalesce(sum(answered), 0)::bigint as answered,
    coalesce(sum(records - answered), 0)::bigint as unanswered,
    coalesce(sum(talk_seconds), 0)::decimal(38, 3) as talk_seconds,
    coalesce(sum(records) filter (service = 'message'), 0)::bigint as messages,
    coalesce(sum(amount), 0)::decimal(38, 10) as amount
from spine
left join charges using (day)
group by day
order by day
