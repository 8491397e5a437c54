-- invoice/draws, sixth step, once for each rank of bundles: what the records still need, in call order, out of what the
-- pools still have.
--
-- Grain:  one row per record that draws.
-- Reads:  charges, fits, rooms, terms, drawn (what is kept, and what bundles of lower rank gave)
with had as (
    select n, sum(drawn_ms) as drawn_ms from drawn group by n
),

kept as (
    select own, term, own_number, sum(drawn_ms) as drawn_ms from drawn group by own, term, own_number
),

needs as (
    select f.n, f.term, f.own, f.own_number, c.usage_ms - coalesce(h.drawn_ms, 0) as need_ms
    from fits as f
    join terms as t on t.term = f.term
    join charges as c on c.n = f.n
    left join had as h on h.n = f.n
    where t.kind = 'bundle' and t.rank = $rank
),

queued as (
    select *, sum(need_ms) over (partition by own, term, own_number order by n) - need_ms as before_ms
    from needs
    where need_ms > 0
),

rationed as (
    select q.*, t.quantity_ms - coalesce(r.used_n, 0) - coalesce(k.drawn_ms, 0) - q.before_ms as room_ms
    from queued as q
    join terms as t on t.term = q.term
    left join rooms as r on r.own = q.own and r.term = q.term and r.own_number = q.own_number
    left join kept as k on k.own = q.own and k.term = q.term and k.own_number = q.own_number
)

select n, term, own, own_number, least(need_ms, room_ms)::bigint as drawn_ms
from rationed
where room_ms > 0
