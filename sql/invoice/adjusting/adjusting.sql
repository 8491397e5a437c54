-- invoice/adjusting: by how much each record is adjusted: its new price, and what it draws anew on bundles and tiers.
--
-- Grain:  one row per record and payer that moves, or whose draws others change.
-- Reads:  moved, compared
-- A period in which one record that draws is unsure is left as it is, with all that draw in it.
with blocked as (
    select own, min(unsure) as why from compared where unsure is not null group by own
),

sharing as (
    select c.source, c.dr_sid, c.payer_sid, c.payee_sid, any_value(b.why) as why
    from compared as c
    join blocked as b on b.own = c.own
    group by c.source, c.dr_sid, c.payer_sid, c.payee_sid
),

anew as (
    select
        any_value(service) as service, source, dr_sid, any_value(revision) as revision, payer_sid, payee_sid,
        any_value(date_stop) as date_stop, any_value(of_invoice_sid) as of_invoice_sid,
        any_value(of_line_no) as of_line_no, any_value(plan_sid) as plan_sid, any_value(plan_version) as plan_version,
        sum(amount)::decimal(20, 10) as drawn
    from compared
    where changed and own not in (select own from blocked)
    group by source, dr_sid, payer_sid, payee_sid
),

moving as (
    select
        m.* replace (
            coalesce(m.left_out, 'shares a bundle or tier with a record ' || s.why) as left_out,
            case when m.left_out is null then m.amount + coalesce(d.drawn, 0) end::decimal(20, 10) as amount
        ),
        coalesce(d.drawn, 0)::decimal(20, 10) as drawn, d.dr_sid is not null as redrawn
    from moved as m
    left join anew as d using (source, dr_sid, payer_sid, payee_sid)
    left join sharing as s using (source, dr_sid, payer_sid, payee_sid)
),

following as (
    select d.*, null::varchar as left_out, d.drawn as amount, 0::decimal(18, 3) as usage, true as redrawn
    from anew as d
    where (source, dr_sid, payer_sid, payee_sid) not in (
        select (source, dr_sid, payer_sid, payee_sid) from moved where left_out is null
    )
)

select * from moving
union all by name
select * from following
