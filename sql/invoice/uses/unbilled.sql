-- purpose: uses of features that an invoice of this run may bill: paid lookups that were made for a customer, use that
--          the provider's own invoices to it show, and billed calls of families that have a price
-- grain:   one row per use, item type and due invoice
-- reads:   due, own_periods, per_use (temporary), land.lookups, land.provider_invoices, rate.calls, invoice.parts
-- A lookup that found nothing is not charged on. An invoice of the provider counts when it is issued: until then it is
-- updated. What an invoice of ours has as a part is never billed again.
with looked_up as (
    select
        'lookups' as source, 'did_lookup_' || unnest(string_split(details, ',')) as type, null as family,
        partner_sid as payer_sid, null as payee_sid, looked_up_at as at,
        phonenumber || '|' || epoch_ms(looked_up_at)::varchar as ref, phonenumber as what, 1::decimal(18, 3) as quantity
    from land.lookups
    where status = 'found' and partner_sid is not null
),

provider_lines as (
    select i.partner_sid, i.invoice_sid, i.display_id, i.date_billing_period_end, unnest(from_json(i.items_json, '["json"]')) as item
    from land.provider_invoices as i
    where i.date_issued is not null
),

invoiced as (
    select
        'provider_invoices' as source, item ->> 'type' as type, null as family, partner_sid as payer_sid,
        null as payee_sid, date_billing_period_end as at, invoice_sid || '|' || (item ->> 'type') as ref,
        'provider invoice ' || coalesce(display_id, invoice_sid) as what,
        sum(try_cast(item ->> 'usage' as decimal(18, 3)))::decimal(18, 3) as quantity
    from provider_lines
    group by all
),

called as (
    select
        'calls' as source, p.type, r.family, r.payer_sid, r.payee_sid, r.date_stop as at, r.source || '|' || r.dr_sid as ref,
        r.dr_sid as what, 1::decimal(18, 3) as quantity
    from rate.calls as r
    join (select distinct type, family from per_use where source = 'calls') as p on p.family = r.family
    where r.side = 'charge' and r.rating_status = 'rated'
),

used as (
    select * from looked_up
    union all by name
    select * from invoiced
    union all by name
    select * from called
)

select
    d.invoice_sid, u.source, u.type, coalesce(u.family, '') as family, u.ref, u.what,
    timezone(d.zone, u.at)::date as day, u.quantity, o.own_start, o.own_end
from used as u
join due as d
    on d.payer_sid = u.payer_sid and (u.payee_sid is null or u.payee_sid = d.payee_sid)
    and u.at >= d.claims_from and u.at < d.period_end
join own_periods as o
    on o.invoice_sid = d.invoice_sid and u.at >= o.own_start and u.at < o.own_end
where u.quantity > 0 and u.type in (select type from per_use where per_use.source = u.source) and not exists (
    select 1
    from invoice.parts as p
    where p.kind = u.type and p.key = u.ref and p.payer_sid = d.payer_sid and p.payee_sid = d.payee_sid
)
order by d.invoice_sid, u.at, u.ref, u.type
