-- purpose: what each prepaid customer has left, and whether it should top up or be suspended
-- grain:   one row per account of a customer that the provider calls prepaid
-- reads:   land.partners, invoice.accounts, invoice.entries, invoice.invoices, invoice.unclaimed
-- available is its credit, less what waits to be invoiced (at the plan's price, before taxes) and what drafts ask for. low:
-- not above charge_at, where it is given; then top_up is the provider's prepay_amount. suspend: nothing is left. A
-- customer that has neither paid nor used anything yet is ok. This is advice: no card is charged and nobody is cut off.
with prepaid as (
    select partner_sid, company_name, charge_at, prepay_amount from land.partners where payment_type = 'prepay'
),

booked as (
    select partner_sid, seller, currency, sum(amount) as owed
    from invoice.entries
    where account = 'receivable'
    group by all
),

drafted as (
    select partner_sid, seller, currency, sum(amount + amount_tax) as asked
    from invoice.invoices
    where number is null
    group by all
),

waiting as (
    select u.payer_sid, u.payee_sid, u.currency, sum(u.amount) as used
    from invoice.unclaimed as u
    join invoice.accounts as a on a.partner_sid = u.payer_sid and a.payee_sid = u.payee_sid
    where u.date_stop >= a.bill_from
    group by all
),

held as (
    select
        a.partner_sid, a.seller, coalesce(p.company_name, a.name) as company_name, a.currency,
        (-coalesce(b.owed, 0))::decimal(20, 2) as credit,
        (coalesce(w.used, 0) + coalesce(d.asked, 0))::decimal(28, 10) as not_invoiced,
        p.charge_at, p.prepay_amount, b.owed is null as nothing_booked
    from prepaid as p
    join invoice.accounts as a on a.partner_sid = p.partner_sid
    left join booked as b
        on b.partner_sid = a.partner_sid and b.seller = a.seller and b.currency = a.currency
    left join drafted as d
        on d.partner_sid = a.partner_sid and d.seller = a.seller and d.currency = a.currency
    left join waiting as w
        on w.payer_sid = a.partner_sid and w.payee_sid = a.payee_sid and w.currency = a.currency
),

left_over as (
    select *, (credit - not_invoiced)::decimal(28, 10) as available from held
)

select
    partner_sid, seller, company_name, currency, credit, not_invoiced, available, charge_at,
    case
        when nothing_booked and not_invoiced = 0 then 'ok'
        when available <= 0 then 'suspend'
        when available <= charge_at then 'low'
        else 'ok'
    end as advice,
    case when advice <> 'ok' then prepay_amount end as top_up
from left_over
order by available, partner_sid
