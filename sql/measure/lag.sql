-- purpose: how long after its end the provider inserts a call: what an overlap and a sweep have to reach back
-- grain:   one row per UTC day on which calls ended
-- reads:   measure.lag_days
-- A call that is inserted late lies behind the bookmark. A poll overlaps by 15 minutes; the daily sweep re-reads
-- TOLLBOOK_LOOKBACK_HOURS (25 if not set). A longest lag near that window means that later ones may be missed. Half of
-- the calls are inserted within the median, 99 of 100 within the p99, in whole seconds.
with ranked as (
    select
        day, lag_seconds, calls,
        sum(calls) over (partition by day order by lag_seconds) as so_far,
        sum(calls) over (partition by day) as whole
    from measure.lag_days
)

select
    day,
    sum(calls)::bigint as calls,
    min(lag_seconds) filter (2 * so_far >= whole) as median_seconds,
    min(lag_seconds) filter (100 * so_far >= 99 * whole) as p99_seconds,
    max(lag_seconds) as longest_seconds,
    coalesce(sum(calls) filter (lag_seconds >= 15 * 60), 0)::bigint as over_15_minutes,
    coalesce(sum(calls) filter (lag_seconds >= 60 * 60), 0)::bigint as over_1_hour,
    coalesce(sum(calls) filter (lag_seconds >= 24 * 60 * 60), 0)::bigint as over_24_hours
from ranked
group by day
order by day
