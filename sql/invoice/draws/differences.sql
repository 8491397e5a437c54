-- invoice/draws: what the records of each invoice draw, less what earlier invoices have drawn for them.
--
-- Grain:  one row per invoice, record, bundle or tier, pool and instant.
-- Reads:  charges, periods, terms, bundled, counted, placed, tiered, held
with drawn as (
    select n, term, own_number, drawn_ms as quantity_n, 0 as position_n, effect_e10
    from bundled
    union all
    select c.n, c.term, c.own_number, c.volume_n, p.position_n, t.effect_e10
    from counted as c
    join placed as p on p.n = c.n
    join tiered as t on t.n = c.n
),

changes as (
    select
        d.n, t.kind, t.key, t.name, d.own_number, t.measure, c.date_stop, true as current,
        case t.measure
            when 'money' then (d.quantity_n::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
            else (d.quantity_n::decimal(17, 0) * 0.001::decimal(3, 3))::decimal(20, 10)
        end as quantity,
        case t.measure
            when 'money' then (d.position_n::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
            else (d.position_n::decimal(17, 0) * 0.001::decimal(3, 3))::decimal(20, 10)
        end as position,
        (d.effect_e10::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10) as amount
    from drawn as d
    join terms as t on t.term = d.term
    join charges as c on c.n = d.n
    union all
    select n, kind, key, name, own_number, measure, date_stop, false, -quantity, position, -amount
    from held
),

-- Only what is taken again has something to be compared with.
summed as (
    select n, kind, key, name, own_number, measure, date_stop, quantity, position, amount
    from changes
    where n not in (select n from held)
    union all
    select
        n, kind, key, arg_max(name, current), own_number, arg_max(measure, current), date_stop,
        sum(quantity)::decimal(20, 10), arg_max(position, current), sum(amount)::decimal(20, 10)
    from changes
    where n in (select n from held)
    group by n, kind, key, own_number, date_stop
)

select
    c.invoice_sid, c.service, c.source, c.dr_sid, c.revision, 'charge' as side, p.payer_sid, p.payee_sid, s.date_stop,
    s.kind, s.key, s.name, s.own_number, s.measure, s.quantity, s.position, s.amount
from summed as s
join charges as c on c.n = s.n
join periods as p on p.own = c.own
where s.quantity <> 0 or s.amount <> 0
