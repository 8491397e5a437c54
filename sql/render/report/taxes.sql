-- purpose: taxes on the invoices of the month
-- grain:   one row per tax and currency
-- reads:   invoice.taxes, invoice.invoices
select
    taxes.name, taxes.jurisdiction, invoices.currency,
    count(distinct invoice_sid) as invoices,
    sum(taxes.amount) as amount
from invoice.taxes as taxes
inner join invoice.invoices as invoices using (invoice_sid)
where invoices.date_billing_period_end - interval 1 day >= $first::timestamptz
    and invoices.date_billing_period_end - interval 1 day < $after::timestamptz
group by all
order by amount desc, name, jurisdiction
