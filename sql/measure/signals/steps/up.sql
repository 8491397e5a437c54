-- purpose: how many calls of each partner were up at once
-- grain:   one row per partner and minute at which the number changed
-- reads:   calls
-- Looked at on every full minute: an answered outbound call counts from its answer up to its end.
with seen as (
    select partner, (talk_ms + 59999) // 60000 as first_tick, (stop_ms + 59999) // 60000 as end_tick
    from calls
    where is_out and talk_ms is not null
),

changes as (
    select partner, unnest([first_tick, end_tick]) as tick, unnest([1, -1]) as more
    from seen
    where end_tick > first_tick
),

together as (
    select partner, tick, sum(more)::bigint as more from changes group by all
)

select partner, tick, sum(more) over (partition by partner order by tick)::bigint as up
from together
