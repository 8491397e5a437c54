-- invoice/adjusting, fourth step: all that was billed of these periods, as if one invoice took it now.
--
-- Grain:  one row per record, payer and payee; the columns are those that invoice/draws reads.
-- Reads:  billed, moved, asked, periods, rate.calls, rate.messages, rate.plans
-- What the what-if moves is at its new price, all else at the price at which it was billed. unsure says why what a record
-- is made of is not known, or not settled: then nobody can say what others may draw.
with rates as (
    select
        source, dr_sid, revision, payer_sid, payee_sid, direction, item_type, country_code, matched_number,
        rate_price, connect_fee, unit_seconds, plan_sid, plan_version, amount, billed_seconds as usage
    from rate.calls
    where side = 'charge' and rating_status = 'rated' and date_stop >= $first and date_stop < $last
    union all
    select
        source, dr_sid, revision, payer_sid, payee_sid, direction, item_type, country_code, matched_number,
        rate_price, connect_fee, 1, plan_sid, plan_version, amount, billed_units::decimal(18, 3)
    from rate.messages
    where side = 'charge' and rating_status = 'rated' and date_stop >= $first and date_stop < $last
),

tried as (
    select a.*
    from asked as a
    join moved as m using (source, dr_sid, payer_sid, payee_sid)
    where m.left_out is null
)

select
    p.own::varchar as invoice_sid, p.own, p.own_start, p.own_end, b.service, b.source, b.dr_sid, b.revision,
    b.payer_sid, b.payee_sid, b.date_stop, b.of_invoice_sid, b.of_line_no, r.direction, r.item_type,
    coalesce(t.country_code, r.country_code) as country_code,
    if(t.dr_sid is null, r.matched_number, t.after_number) as matched_number,
    if(t.dr_sid is null, r.rate_price, t.after_price) as rate_price,
    if(t.dr_sid is null, r.connect_fee, t.after_fee) as connect_fee,
    if(t.dr_sid is null, r.unit_seconds, t.after_unit_seconds) as unit_seconds,
    if(t.dr_sid is null, b.amount, t.after) as full_amount,
    if(t.dr_sid is null, b.usage, t.after_usage) as full_usage,
    if(t.dr_sid is null, plans.rounding_mode, t.after_rounding_mode) as rounding_mode,
    if(t.dr_sid is null, plans.rounding_decimals, t.after_rounding_decimals) as rounding_decimals,
    r.plan_sid, r.plan_version,
    case
        when not b.issued then 'on a draft'
        when r.dr_sid is null then 'whose newer revision waits'
        when t.dr_sid is null and (r.amount <> b.amount or r.usage <> b.usage)
            then 'that is rated otherwise than it was billed'
    end as unsure
from billed as b
join periods as p
    on p.payer_sid = b.payer_sid and p.payee_sid = b.payee_sid
    and b.date_stop >= p.own_start and b.date_stop < p.own_end
left join rates as r
    on r.source = b.source and r.dr_sid = b.dr_sid and r.payer_sid = b.payer_sid and r.payee_sid = b.payee_sid
    and r.revision = b.revision
left join tried as t
    on t.source = b.source and t.dr_sid = b.dr_sid and t.payer_sid = b.payer_sid and t.payee_sid = b.payee_sid
left join rate.plans as plans on plans.plan_sid = r.plan_sid and plans.plan_version = r.plan_version
