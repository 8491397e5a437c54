-- invoice/draws, fifth step: what corrected records go on holding: no more than they use, of what still takes them.
--
-- Grain:  one row per record and bundle.
-- Reads:  charges, fits, held
with fitting as (
    select f.n, f.term, f.own, f.own_number, c.usage_ms, h.held_n,
        sum(h.held_n) over (partition by f.n order by f.term) - h.held_n as before_n
    from held as h
    join fits as f on f.n = h.n and f.term = h.term and f.own = h.own and f.own_number = h.own_number
    join charges as c on c.n = f.n
    where h.kind = 'bundle' and h.held_n > 0
)

select n, term, own, own_number, greatest(0, least(held_n, usage_ms - before_n))::bigint as drawn_ms
from fitting
