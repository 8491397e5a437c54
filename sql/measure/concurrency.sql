-- purpose: the most calls at once and the traffic in Erlang, by trunk group: is there room for more?
-- grain:   one row per UTC day, side and trunk group, and one per day for all calls
-- reads:   measure.trunk_hours, land.trunk_groups
-- Erlang = call seconds / 3600 in an hour, / 86400 in a day; the busy hour is the one with the most (ITU-T E.600). Rounded
-- half up to a thousandth, on integers.
with days as (
    select
        day, side, trunk_group_sid,
        max(peak_calls) as peak_calls,
        arg_max(peak_at, (peak_calls, -epoch_ms(peak_at))) as peak_at,
        arg_max(hour, (call_seconds, -epoch_ms(hour))) as busy_hour,
        max(call_seconds) as busy_seconds,
        sum(call_seconds)::bigint as call_seconds
    from measure.trunk_hours
    group by day, side, trunk_group_sid
)

select
    day, side, trunk_group_sid, groups.name, peak_calls, peak_at, busy_hour,
    ((busy_seconds * 1000 + 1800) // 3600)::decimal(18, 0) * 0.001::decimal(4, 3) as busy_hour_erlang,
    ((call_seconds * 1000 + 43200) // 86400)::decimal(18, 0) * 0.001::decimal(4, 3) as day_erlang
from days
left join land.trunk_groups as groups using (trunk_group_sid)
order by day, side, trunk_group_sid
