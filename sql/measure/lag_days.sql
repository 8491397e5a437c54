-- purpose: how long after its end the provider inserts a call: what an overlap and a sweep have to reach back
-- grain:   one row per UTC day on which calls ended, and whole seconds of lag
-- reads:   land.calls
with lags as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time,
        (epoch_ms(date_insert) - epoch_ms(date_stop)) // 1000 as lag_seconds
    from land.calls
    where date_insert is not null
),

counted as (
    select day_of_time, lag_seconds, count(*) as calls from lags group by all
)

select date '1970-01-01' + day_of_time::integer as day, lag_seconds, calls
from counted
order by day, lag_seconds
