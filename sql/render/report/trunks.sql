-- purpose: how many calls there were at once, by trunk group
-- grain:   one row per side and trunk group, and one for all calls
-- reads:   measure.trunk_hours, land.trunk_groups
-- Erlang = call seconds / 3600; the busy hour is the one with the most (ITU-T E.600).
select
    coalesce(any_value(groups.name), trunk_group_sid, 'every call') as trunk,
    side, trunk_group_sid,
    max(peak_calls) as peak_calls,
    arg_max(peak_at, (peak_calls, -epoch_ms(peak_at))) as peak_at,
    arg_max(hour, (call_seconds, -epoch_ms(hour))) as busy_hour,
    ((max(call_seconds) * 1000 + 1800) // 3600)::decimal(18, 0) * 0.001::decimal(4, 3) as busy_hour_erlang
from measure.trunk_hours
left join land.trunk_groups as groups using (trunk_group_sid)
where day >= $first and day < $after
group by side, trunk_group_sid
order by side, peak_calls desc, trunk_group_sid
