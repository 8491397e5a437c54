-- purpose: one customer's invoices, the newest first
-- grain:   one row per issued invoice
-- reads:   invoice.invoices
select
    number, status,
    date_billing_period_start as period_start,
    date_billing_period_end as period_end,
    date_issued, date_due, currency, amount, amount_tax,
    amount + amount_tax as total,
    amount_due
from invoice.invoices
where partner_sid = $customer and number is not null
order by date_issued desc, number
limit 24
