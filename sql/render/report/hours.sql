-- purpose: when the traffic comes: calls by weekday and hour
-- grain:   one row per weekday (1 is Monday) and hour of the UTC day in which calls started
-- reads:   land.calls
select
    isodow(date_start at time zone 'UTC') as weekday,
    hour(date_start at time zone 'UTC') as hour,
    count(*) as calls,
    count(*) filter (date_talk < date_stop) as answered
from land.calls
where date_stop >= $first::timestamptz and date_stop < $after::timestamptz
group by all
order by weekday, hour
