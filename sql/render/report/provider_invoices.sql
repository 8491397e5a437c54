-- purpose: the provider's invoices of the month against the records behind them
-- grain:   one row per line of an invoice whose period ends in the month
-- reads:   rate.invoice_differences, land.provider_invoices
-- amount is what the invoice asks for, records_amount what its records carry as their price, expected what they should
-- have cost by the provider's own plans.
select
    lines.display_id, lines.line_no, lines.type, lines.direction, lines.country_code, lines.amount, lines.records,
    lines.records_amount, lines.expected, lines.verdict
from rate.invoice_differences as lines
inner join land.provider_invoices as invoices using (invoice_sid)
where invoices.date_billing_period_end >= $first::timestamptz and invoices.date_billing_period_end < $after::timestamptz
order by lines.verdict = 'agrees', abs(lines.amount) desc, lines.display_id, lines.line_no
