-- purpose: how many calls of each partner were up at once
-- grain:   one row per partner and minute at which the number changed
-- reads:   calls
-- Looked at on every full minute: an answered outbound call counts from its answer up to its end.
with changes as (
    select partner, (talk_ms + 59999) // 60000 as tick, count(*) as more from calls
    where is_out and talk_ms is not null and (stop_ms + 59999) // 60000 > (talk_ms + 59999) // 60000
    group by all
    union all
    select partner, (stop_ms + 59999) // 60000 as tick, -count(*) from calls
    where is_out and talk_ms is not null and (stop_ms + 59999) // 60000 > (talk_ms + 59999) // 60000
    group by all
),

together as (
    select partner, tick, sum(more)::bigint as more from changes group by all
)

select partner, tick, sum(more) over (partition by partner order by tick)::bigint as up
from together
