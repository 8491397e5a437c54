-- invoice/draws, third step: what earlier invoices have drawn for the records that are taken again.
--
-- Grain:  one row per record, bundle or tier, pool and instant.
-- Reads:  charges, periods, terms, invoice.draws
-- own is the period whose pool was drawn on; a record that has moved to another period gives it back. term is null
-- where the payer has no such bundle or tier any more.
with drawn as (
    select
        c.n, w.payer_sid, w.payee_sid, w.kind, w.key, w.own_number, w.date_stop,
        any_value(w.name) as name, any_value(w.measure) as measure,
        sum(w.quantity)::decimal(20, 10) as quantity, sum(w.amount)::decimal(20, 10) as amount,
        arg_max(w.position, (w.revision, coalesce(w.redrawn_at, timestamptz '1970-01-01'))) as position
    from charges as c
    join periods as p on p.own = c.own
    join invoice.draws as w
        on w.source = c.source and w.dr_sid = c.dr_sid and w.payer_sid = p.payer_sid and w.payee_sid = p.payee_sid
    group by all
    having sum(w.quantity) <> 0 or sum(w.amount) <> 0
)

select
    d.n, p.own, t.term, d.kind, d.key, d.own_number, d.date_stop, d.name, d.measure, d.quantity, d.amount, d.position,
    (d.quantity * case d.measure when 'money' then 10000000000 else 1000 end)::hugeint as held_n,
    (d.position * case d.measure when 'money' then 10000000000 else 1000 end)::hugeint as position_n
from drawn as d
left join periods as p
    on p.payer_sid = d.payer_sid and p.payee_sid = d.payee_sid
    and d.date_stop >= p.own_start and d.date_stop < p.own_end
left join terms as t
    on t.payer_sid = d.payer_sid and t.payee_sid = d.payee_sid and t.kind = d.kind and t.key = d.key
