-- invoice/adjusting, fifth step: what the records of these periods draw anew, beside what they have drawn.
--
-- Grain:  one row per record, bundle or tier, and own number where that counts.
-- Reads:  taken, draws (all drawn anew, in call order), drawn_before (what invoice.draws held), terms
with before as (
    select
        source, dr_sid, payer_sid, payee_sid, kind, key, own_number, date_stop, arg_max(name, revision) as name,
        any_value(measure) as measure, sum(quantity) as quantity, sum(amount) as amount,
        arg_max(position, (revision, coalesce(redrawn_at, timestamptz '1970-01-01'))) as position
    from drawn_before
    where (source, dr_sid, payer_sid, payee_sid) in (select (source, dr_sid, payer_sid, payee_sid) from taken)
    group by source, dr_sid, payer_sid, payee_sid, kind, key, own_number, date_stop
    having sum(quantity) <> 0 or sum(amount) <> 0
),

changes as (
    select
        source, dr_sid, payer_sid, payee_sid, kind, key, own_number, date_stop,
        coalesce(n.name, b.name) as name, coalesce(n.measure, b.measure) as measure,
        (coalesce(n.quantity, 0) - coalesce(b.quantity, 0))::decimal(20, 10) as quantity,
        coalesce(n.position, b.position)::decimal(20, 10) as position,
        (coalesce(n.amount, 0) - coalesce(b.amount, 0))::decimal(20, 10) as amount,
        coalesce(n.position <> b.position, false) as displaced
    from draws as n
    full join before as b using (source, dr_sid, payer_sid, payee_sid, kind, key, own_number, date_stop)
)

select
    c.*, t.own, t.service, t.revision, t.of_invoice_sid, t.of_line_no, t.plan_sid, t.plan_version,
    c.quantity <> 0 or c.amount <> 0 or c.displaced as changed,
    case
        when t.unsure is not null then t.unsure
        when (c.payer_sid, c.payee_sid, c.kind, c.key) not in (select (payer_sid, payee_sid, kind, key) from terms)
            then 'that drew on one that is gone'
    end as unsure
from changes as c
join taken as t using (source, dr_sid, payer_sid, payee_sid)
