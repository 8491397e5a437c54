-- rate.suspense: what cannot be charged: records that could not be rated, and those that a person wrote off.
--
-- Grain:  one row per record and payer.
-- Reads:  rate.calls, rate.messages, invoice.rulings, invoice.write_offs
-- standing is open (it holds its customer's invoice back), accepted (need not be billed) or written_off (never will be,
-- also where it has been rated since). An accepted reason with a cost_limit covers records in call order, as long as
-- what the provider charges for them all stays within it.
with records as not materialized (
    select service, source, dr_sid, revision, partner_sid, side, payer_sid, payee_sid, direction, family,
        country_code, matched_number,
        date_start, date_stop, rating_status, unrated_reason, plan_sid, base_seconds as seconds, provider_price
    from rate.calls
    union all
    select service, source, dr_sid, revision, partner_sid, side, payer_sid, payee_sid, direction, family,
        country_code, matched_number,
        date_start, date_stop, rating_status, unrated_reason, plan_sid, null, provider_price
    from rate.messages
),

in_force as (
    select * from invoice.rulings where undone_at is null
),

written_off as (
    select w.source, w.dr_sid, w.payee_sid, min(w.ruling_id) as ruling_id
    from invoice.write_offs as w
    join in_force as r on r.ruling_id = w.ruling_id
    group by w.source, w.dr_sid, w.payee_sid
),

-- In two parts, so that only where something is written off all records are looked through.
suspended as (
    select c.* exclude (side, provider_price), w.ruling_id as written_off_by
    from records as c
    left join written_off as w on w.source = c.source and w.dr_sid = c.dr_sid and w.payee_sid = c.payee_sid
    where c.side = 'charge' and c.rating_status = 'unrated'
    union all
    select c.* exclude (side, provider_price), w.ruling_id
    from records as c
    join written_off as w on w.source = c.source and w.dr_sid = c.dr_sid and w.payee_sid = c.payee_sid
    where c.side = 'charge' and c.rating_status is distinct from 'unrated'
),

-- By their instants, so that files of other days are not read; a cost ends when its charges do.
costs as (
    select source, dr_sid, any_value(provider_price) as provider_price
    from records
    where side = 'cost' and date_stop in (select date_stop from suspended)
    group by source, dr_sid
),

costed as (
    select s.*, coalesce(c.provider_price, 0) as cost
    from suspended as s
    left join costs as c on c.source = s.source and c.dr_sid = s.dr_sid
),

covered as (
    select s.source, s.dr_sid, s.payer_sid, s.payee_sid, r.ruling_id, r.cost_limit,
        sum(s.cost) over (
            partition by r.ruling_id order by s.date_stop, s.source, s.dr_sid, s.payee_sid, s.payer_sid
            rows unbounded preceding
        ) as cost_so_far
    from costed as s
    join in_force as r
        on r.action = 'accept'
        and (r.reason is null or r.reason = s.unrated_reason)
        and (r.partner_sid is null or r.partner_sid = s.payer_sid)
        and (r.date_from is null or s.date_stop >= r.date_from)
        and (r.date_to is null or s.date_stop < r.date_to)
    where s.written_off_by is null
),

accepted as (
    select source, dr_sid, payer_sid, payee_sid, min(ruling_id) as ruling_id
    from covered
    where cost_limit is null or cost_so_far <= cost_limit
    group by source, dr_sid, payer_sid, payee_sid
)

select
    s.* exclude (written_off_by),
    case
        when s.written_off_by is not null then 'written_off'
        when a.ruling_id is not null then 'accepted'
        else 'open'
    end as standing,
    coalesce(s.written_off_by, a.ruling_id) as ruling_id
from costed as s
left join accepted as a
    on a.source = s.source and a.dr_sid = s.dr_sid and a.payer_sid = s.payer_sid and a.payee_sid = s.payee_sid
