-- purpose: what was invoiced for the month, taxes included
-- grain:   one row per currency, and status of the invoices
-- reads:   invoice.invoices
select
    currency, status,
    count(*) as invoices,
    sum(amount) as amount,
    sum(amount_tax) as amount_tax,
    sum(amount + amount_tax) as total
from invoice.invoices
where date_billing_period_end - interval 1 day >= $first::timestamptz
    and date_billing_period_end - interval 1 day < $after::timestamptz
group by currency, status
order by currency, total desc, status
