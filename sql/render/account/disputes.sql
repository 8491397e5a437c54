-- What a customer has contested.
-- Grain: one row per dispute, the newest first.
-- Reads: invoice.disputes, invoice.invoices
select
    i.number, d.status, d.opened_at, d.reason, d.settled_reason, sum(d.amount)::decimal(20, 2) as amount
from invoice.disputes as d
join invoice.invoices as i on i.invoice_sid = d.invoice_sid
where i.partner_sid = $customer and i.seller = $seller and i.currency = $currency and d.opened_at <= $as_of
group by d.dispute_sid, i.number, d.status, d.opened_at, d.reason, d.settled_reason
order by d.opened_at desc, i.number
