-- measure.fates: what became of every charge: on an invoice, off it by a bundle or tier, waiting and why, written off,
-- or changed since.
--
-- Grain:  one row per charge or claimed record, and fate; the fates of a record sum to its rated amount. The day is the
--         UTC day of the usage.
-- Reads:  rate.calls, rate.messages, invoice.claims, invoice.draws, invoice.unclaimed, invoice.accounts, invoice.rulings,
--         invoice.write_offs
-- A record counts once, under claimed, written off, another payer or the reason for which it waits; corrections, bundles
-- and tiers, and what was rated anew after it was claimed, bring money and seconds only.
with charges as (
    select service, source, dr_sid, payer_sid, payee_sid, date_stop, currency, rating_status = 'rated' as rated,
        case when rating_status = 'rated' then amount else 0 end::decimal(20, 10) as money,
        case when rating_status = 'rated' then billed_seconds else 0 end::decimal(18, 3) as usage
    from rate.calls
    where side = 'charge'
    union all
    select service, source, dr_sid, payer_sid, payee_sid, date_stop, currency, rating_status = 'rated',
        case when rating_status = 'rated' then amount else 0 end::decimal(20, 10),
        case when rating_status = 'rated' then billed_units else 0 end::decimal(18, 3)
    from rate.messages
    where side = 'charge'
),

claimed as (
    select c.service, c.source, c.dr_sid, c.payer_sid, c.payee_sid, max(c.date_stop) as date_stop,
        any_value(i.currency) as currency,
        sum(c.amount)::decimal(20, 10) as money, sum(c.usage)::decimal(18, 3) as usage
    from invoice.claims as c
    join invoice.invoices as i on i.invoice_sid = c.invoice_sid
    group by c.service, c.source, c.dr_sid, c.payer_sid, c.payee_sid
),

drawn as (
    select source, dr_sid, payer_sid, payee_sid, sum(amount)::decimal(20, 10) as money,
        coalesce(sum(amount) filter (kind = 'bundle'), 0)::decimal(20, 10) as bundles
    from invoice.draws
    group by source, dr_sid, payer_sid, payee_sid
),

written_off as (
    select distinct w.source, w.dr_sid, w.payee_sid
    from invoice.write_offs as w
    join invoice.rulings as r on r.ruling_id = w.ruling_id and r.undone_at is null
),

waiting as (
    select u.service, u.source, u.dr_sid, u.payer_sid, u.payee_sid, u.amount as money, u.usage, u.correction,
        case
            when a.partner_sid is null then 'no account'
            when u.date_stop < a.bill_from then 'before bill_from'
            when u.date_stop >= a.due_to then 'not yet due'
            when a.parked is not null then 'parked'
            else 'due'
        end as reason
    from invoice.unclaimed as u
    left join invoice.accounts as a on a.partner_sid = u.payer_sid and a.payee_sid = u.payee_sid
),

-- Every record that is charged now or was claimed once, with all three sums side by side.
sums as materialized (
    select
        coalesce(c.service, k.service) as service,
        (coalesce(c.date_stop, k.date_stop) at time zone 'UTC')::date as day,
        c.payer_sid is not null and c.rated as rated,
        k.payer_sid is not null as on_invoice,
        w.payer_sid is not null as waits,
        coalesce(c.currency, k.currency) as currency,
        coalesce(c.money, 0) as money, coalesce(c.usage, 0) as usage,
        coalesce(k.money, 0) as claimed_money, coalesce(k.usage, 0) as claimed_usage,
        coalesce(d.money, 0) as drawn_money, coalesce(d.bundles, 0) as bundle_money,
        x.dr_sid is not null as written_off,
        coalesce(w.money, 0) as waiting_money, coalesce(w.usage, 0) as waiting_usage,
        w.reason, coalesce(w.correction, false) as correction
    from charges as c
    full join claimed as k
        on k.source = c.source and k.dr_sid = c.dr_sid and k.payer_sid = c.payer_sid and k.payee_sid = c.payee_sid
    left join waiting as w
        on w.source = coalesce(c.source, k.source) and w.dr_sid = coalesce(c.dr_sid, k.dr_sid)
        and w.payer_sid = coalesce(c.payer_sid, k.payer_sid) and w.payee_sid = coalesce(c.payee_sid, k.payee_sid)
    left join drawn as d
        on d.source = k.source and d.dr_sid = k.dr_sid and d.payer_sid = k.payer_sid and d.payee_sid = k.payee_sid
    left join written_off as x
        on x.source = c.source and x.dr_sid = c.dr_sid and x.payee_sid = c.payee_sid
)

select service, day, 'claimed' as fate, null as reason, rated::integer as records,
    claimed_usage as usage, claimed_money as money, currency
from sums
where on_invoice
union all
select service, day, case part when 1 then 'taken off by bundles' else 'changed by tiers' end, null, 0, 0::decimal(18, 3),
    case part when 1 then -bundle_money else bundle_money - drawn_money end, currency
from sums
cross join (select unnest([1, 2]) as part)
where on_invoice and case part when 1 then bundle_money else drawn_money - bundle_money end <> 0
union all
select service, day, case when correction then 'correction waiting' else 'waiting' end, reason,
    (rated and not on_invoice)::integer, waiting_usage, waiting_money, currency
from sums
where waits
union all
select service, day, 'claimed from another payer', null, 1, usage, money, currency
from sums
where rated and not on_invoice and not waits and not written_off
union all
select service, day, 'written off', null, 1, usage, money, currency
from sums
where rated and not on_invoice and not waits and written_off
union all
select service, day, 'rated anew after it was claimed', null, 0,
    usage - claimed_usage - waiting_usage, money - claimed_money + drawn_money - waiting_money, currency
from sums
where on_invoice
    and (money <> claimed_money - drawn_money + waiting_money or usage <> claimed_usage + waiting_usage)
