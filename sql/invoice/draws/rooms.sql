-- invoice/draws, fourth step: how much each pool has in use once corrected records have let go of what they held.
--
-- Grain:  one row per period, bundle or tier, and own number where that counts.
-- Reads:  held, periods, terms, invoice.draws
with spent as (
    select p.own, t.term, w.own_number,
        sum((w.quantity * case w.measure when 'money' then 10000000000 else 1000 end)::hugeint) as used_n
    from invoice.draws as w
    join periods as p
        on p.payer_sid = w.payer_sid and p.payee_sid = w.payee_sid
        and w.date_stop >= p.own_start and w.date_stop < p.own_end
    join terms as t
        on t.payer_sid = w.payer_sid and t.payee_sid = w.payee_sid and t.kind = w.kind and t.key = w.key
    group by all
),

freed as (
    select own, term, own_number, sum(held_n) as freed_n from held group by own, term, own_number
)

select s.own, s.term, s.own_number, s.used_n - coalesce(f.freed_n, 0) as used_n
from spent as s
left join freed as f on f.own = s.own and f.term = s.term and f.own_number = s.own_number
