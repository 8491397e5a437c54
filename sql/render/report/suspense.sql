-- purpose: what could not be priced, what it costs us, and what was decided about it
-- grain:   one row per service, reason and standing
-- reads:   rate.suspense
select
    service, unrated_reason as reason, standing,
    count(*) as records,
    coalesce(sum(seconds), 0)::decimal(38, 3) as talk_seconds,
    coalesce(sum(cost), 0) as cost
from rate.suspense
where date_stop >= $first::timestamptz and date_stop < $after::timestamptz
group by all
order by records desc, service, reason, standing
