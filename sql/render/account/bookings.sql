-- What was booked on one account up to an instant, with the balance after each booking.
-- Grain: one row per entry on the account, in the order of booking.
-- Reads: invoice.entries, invoice.invoices
-- Positive is charged. `number` is the invoice or credit note itself, or the invoice that money was meant for.
select
    e.at, e.kind, i.number, e.amount,
    sum(e.amount) over (order by e.entry_id)::decimal(20, 2) as balance
from invoice.entries as e
left join invoice.invoices as i on i.invoice_sid = e.invoice_sid
where e.account = 'receivable' and e.partner_sid = $customer and e.seller = $seller and e.currency = $currency
    and e.at <= $as_of
order by e.entry_id
