-- What a customer had contested at an instant.
-- Grain: one row per dispute, the newest first.
-- Reads: invoice.disputes, invoice.invoices
-- A dispute that was settled later was open then.
with known as (
    select *, settled_at is not null and settled_at <= $as_of as settled
    from invoice.disputes
    where opened_at <= $as_of
)

select
    i.number, case when d.settled then d.status else 'open' end as status, d.opened_at, d.reason,
    case when d.settled then d.settled_reason end as settled_reason, sum(d.amount)::decimal(20, 2) as amount
from known as d
join invoice.invoices as i on i.invoice_sid = d.invoice_sid
where i.partner_sid = $customer and i.seller = $seller and i.currency = $currency
group by d.dispute_sid, i.number, d.status, d.opened_at, d.reason, d.settled_reason, d.settled
order by d.opened_at desc, i.number
