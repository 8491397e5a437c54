-- purpose: how long after its end the provider inserts a call: what an overlap and a sweep have to reach back
-- grain:   one row per UTC day on which calls ended
-- reads:   land.calls
-- A call that is inserted late lies behind the bookmark. A poll overlaps by 15 minutes; the daily sweep re-reads
-- TOLLBOOK_LOOKBACK_HOURS (25 if not set). A longest lag near that window means that later ones may be missed.
with lags as (
    select (date_stop at time zone 'UTC')::date as day, epoch_ms(date_insert) - epoch_ms(date_stop) as lag
    from land.calls
    where date_insert is not null
)

select
    day,
    count(*) as calls,
    quantile_disc(lag, 0.5) // 1000 as median_seconds,
    quantile_disc(lag, 0.99) // 1000 as p99_seconds,
    max(lag) // 1000 as longest_seconds,
    count(*) filter (lag > 15 * 60 * 1000) as over_15_minutes,
    count(*) filter (lag > 60 * 60 * 1000) as over_1_hour,
    count(*) filter (lag > 24 * 60 * 60 * 1000) as over_24_hours
from lags
group by day
order by day
