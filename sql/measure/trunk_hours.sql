-- purpose: the calls of a day, as pipeline/measure/concurrency.py counts them at once, by trunk group and hour
-- grain:   one row per call
-- reads:   land.calls
-- A call that ended before it began holds nothing. The day is the one asked for; land.calls holds it and the next, for
-- calls that went on past midnight. Erlang = call_seconds / 3600 (ITU-T E.600).
select
    trunk_group_sid_src, trunk_group_sid_dst,
    epoch_ms(date_start) as start_ms,
    epoch_ms(date_stop) as stop_ms
from land.calls
where date_start < $after::timestamptz and date_stop > date_start
