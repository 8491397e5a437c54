-- purpose: the quality of calls by the trunk group that they came in or went out by
-- grain:   one row per UTC day, side and trunk group
-- reads:   measure.call_hours, land.trunk_groups
-- The ratios are those of measure.quality. A call that came in by one trunk group and went out by another counts at both.
with sides as (
    select day, unnest(['in', 'out']) as side, unnest([trunk_group_sid_src, trunk_group_sid_dst]) as trunk_group_sid,
        calls, answered, effective, talk_ms, setup_ms
    from measure.call_hours
),

counted as (
    select
        day, side, trunk_group_sid,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(effective)::bigint as effective,
        sum(talk_ms)::bigint as talk_ms,
        sum(setup_ms)::bigint as setup_ms
    from sides
    where trunk_group_sid is not null
    group by day, side, trunk_group_sid
)

select
    day, side, trunk_group_sid, groups.name, calls, answered, effective,
    talk_ms::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds,
    ((answered * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    ((effective * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as ner_percent,
    ((talk_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as acd_seconds,
    ((setup_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as answer_delay_seconds
from counted
left join land.trunk_groups as groups using (trunk_group_sid)
order by day, side, trunk_group_sid
