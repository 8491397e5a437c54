-- invoice/adjusting, third step: the periods in which bundles and tiers are drawn anew, because a record of them moves.
--
-- Grain:  one row per payer, payee and period, numbered.
-- Reads:  moved
--         pooled             payer_sid, payee_sid, own_start, own_end: the periods of those who have, or had, any
select
    (row_number() over (order by payer_sid, payee_sid, own_start))::integer as own, payer_sid, payee_sid,
    own_start, own_end
from (
    select distinct p.payer_sid, p.payee_sid, p.own_start, p.own_end
    from moved as m
    join pooled as p
        on p.payer_sid = m.payer_sid and p.payee_sid = m.payee_sid
        and m.date_stop >= p.own_start and m.date_stop < p.own_end
    where m.left_out is null and (m.amount <> 0 or m.usage <> 0)
)
