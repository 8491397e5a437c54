-- purpose: how calls end
-- grain:   one row per SIP cause
-- reads:   measure.causes
select
    sipcause,
    sum(calls)::bigint as calls,
    coalesce(sum(calls) filter (disconnect_originator = 'src'), 0)::bigint as by_caller,
    coalesce(sum(calls) filter (disconnect_originator = 'dst'), 0)::bigint as by_called,
    round(100.0 * sum(calls) / sum(sum(calls)) over (), 1) as share_percent
from measure.causes
where day >= $first and day < $after
group by sipcause
order by calls desc, sipcause
