-- purpose: how calls end: SIP causes, and who hung up
-- grain:   one row per UTC day, direction, SIP cause and originator of the disconnect
-- reads:   measure.cause_days
select
    day, direction, sipcause, disconnect_originator,
    sum(calls)::bigint as calls,
    sum(answered)::bigint as answered
from measure.cause_days
group by all
order by day, direction, calls desc, sipcause, disconnect_originator
