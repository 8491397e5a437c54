-- purpose: volume and quality by day
-- grain:   one row per UTC day of the month
-- reads:   measure.traffic
with spine as (
    select unnest(generate_series($first::timestamp, $after::timestamp - interval 1 day, interval 1 day))::date as day
)

select
    day,
    coalesce(sum(attempts) filter (service = 'call'), 0)::bigint as calls,
    coalesce(sum(answered), 0)::bigint as answered,
    coalesce(sum(attempts) filter (service = 'call') - sum(answered), 0)::bigint as unanswered,
    round(100.0 * sum(answered) / nullif(sum(attempts) filter (service = 'call'), 0), 1) as asr_percent,
    coalesce(sum(talk_seconds), 0)::decimal(38, 3) as talk_seconds,
    round(sum(talk_seconds) / nullif(sum(answered), 0), 1) as acd_seconds,
    coalesce(sum(attempts) filter (service = 'message'), 0)::bigint as messages
from spine
left join measure.traffic using (day)
group by day
order by day
