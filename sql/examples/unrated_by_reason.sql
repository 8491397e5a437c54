-- purpose: what cannot be charged, why, and what it costs us
-- grain:   one row per reason, standing and kind of service
-- reads:   rate.suspense
select
    unrated_reason, standing, service, direction, family, count(*) as records,
    count(distinct payer_sid) as customers, min(date_stop) as first, max(date_stop) as last, sum(cost) as cost
from rate.suspense
group by all
order by cost desc, records desc, unrated_reason;
