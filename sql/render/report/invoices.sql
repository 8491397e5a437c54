-- purpose: the invoices of the month: those whose period has its last day in it
-- grain:   one row per invoice, drafts included
-- reads:   invoice.invoices
select
    coalesce(number, 'draft') as number,
    company_name, status,
    date_billing_period_start as period_start,
    date_billing_period_end as period_end,
    date_due, currency, amount, amount_tax,
    amount + amount_tax as total,
    amount_due
from invoice.invoices
where date_billing_period_end - interval 1 day >= $first::timestamptz
    and date_billing_period_end - interval 1 day < $after::timestamptz
order by total desc, number, company_name
