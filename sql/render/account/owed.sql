-- What an account still owes, debt by debt.
-- Grain: one row per invoice or other debit of which something is open, the oldest first.
-- Reads: invoice.ageing
select kind, number, date_due, amount, open_amount, contested
from invoice.ageing
where partner_sid = $customer and seller = $seller and currency = $currency and booked_at <= $as_of
order by date_due, number
