-- purpose: how calls end: SIP causes, and who hung up
-- grain:   one row per UTC day, direction, SIP cause and originator of the disconnect
-- reads:   land.calls
select
    (date_stop at time zone 'UTC')::date as day,
    direction,
    sipcause,
    disconnect_originator,
    count(*) as calls,
    count(*) filter (date_talk is not null) as answered,
    -- Post-dial delay as far as records show it: from start to answer.
    round(avg(epoch_ms(date_talk) - epoch_ms(date_start)) / 1000, 2) as seconds_to_answer
from land.calls
group by all
order by day, direction, calls desc, sipcause, disconnect_originator
