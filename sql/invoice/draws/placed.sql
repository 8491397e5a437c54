-- invoice/draws, ninth step: where in the volume of its period a tier prices each record.
--
-- Grain:  one row per record that counts in a tier.
-- Reads:  counted, held, rooms, terms
-- Corrected records stay where they were; new ones come after all that the period has counted so far, in call order. A
-- retroactive tier prices everything where the period has come to with these records.
with again as (
    select c.*, h.held_n, h.position_n
    from held as h
    join counted as c on c.n = h.n and c.term = h.term and c.own = h.own and c.own_number = h.own_number
    where h.held_n <> 0
),

bases as (
    select own, term, own_number, sum(used_n) as base_n
    from (
        select own, term, own_number, used_n from rooms
        union all
        select own, term, own_number, volume_n from again
    )
    group by own, term, own_number
),

fresh as (
    select n, term, own, own_number, volume_n,
        sum(volume_n) over (partition by own, term, own_number order by n) as reached_n,
        sum(volume_n) over (partition by own, term, own_number) as total_n
    from counted
    where n not in (select n from again)
)

select f.n, coalesce(b.base_n, 0) + case t.rule when 'marginal' then f.reached_n - f.volume_n else f.total_n end as position_n
from fresh as f
join terms as t on t.term = f.term
left join bases as b on b.own = f.own and b.term = f.term and b.own_number = f.own_number
union all
select a.n, a.position_n + case t.rule when 'marginal' then 0 else a.volume_n - a.held_n end
from again as a
join terms as t on t.term = a.term
