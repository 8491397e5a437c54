-- purpose: when the traffic comes: calls by weekday and hour
-- grain:   one row per weekday (1 is Monday) and hour of the UTC day in which calls ended
-- reads:   measure.call_hours
select
    isodow(hour at time zone 'UTC') as weekday,
    hour(hour at time zone 'UTC') as hour,
    sum(calls)::bigint as calls,
    sum(answered)::bigint as answered
from measure.call_hours
where day >= $first and day < $after
group by all
order by weekday, hour
