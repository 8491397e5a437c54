-- purpose: how calls end
-- grain:   one row per SIP cause
-- reads:   measure.cause_days
with counted as (
    select
        sipcause,
        sum(calls)::bigint as calls,
        coalesce(sum(calls) filter (disconnect_originator = 'src'), 0)::bigint as by_caller,
        coalesce(sum(calls) filter (disconnect_originator = 'dst'), 0)::bigint as by_called
    from measure.cause_days
    where day >= $first and day < $after
    group by sipcause
)

select
    *,
    ((calls * 2000 + sum(calls) over ()) // (2 * sum(calls) over ()))::decimal(18, 0) * 0.1::decimal(2, 1) as share_percent
from counted
order by calls desc, sipcause
