-- purpose: the month in one row, and the month before it in another
-- grain:   one row per month, the month asked for first
-- reads:   measure.traffic
select
    date_trunc('month', day)::date as month,
    coalesce(sum(attempts) filter (service = 'call'), 0)::bigint as calls,
    coalesce(sum(answered), 0)::bigint as answered,
    coalesce(sum(talk_seconds), 0)::decimal(38, 3) as talk_seconds,
    coalesce(sum(attempts) filter (service = 'message'), 0)::bigint as messages,
    coalesce(sum(message_units), 0)::bigint as message_units
from measure.traffic
where day >= $before and day < $after
group by all
order by month desc
