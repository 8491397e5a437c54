-- measure.needed_days: the UTC days whose records an invoice still stands on, or will.
--
-- Grain:  one row per day.
-- Reads:  invoice.unclaimed, invoice.accounts, invoice.claims, invoice.invoices
-- Rules:  A day is needed while something of it waits to be billed, and while an invoice that took something of it is
--         neither settled nor given up.
select distinct (u.date_stop at time zone 'UTC')::date as day
from invoice.unclaimed as u
join invoice.accounts as a on a.partner_sid = u.payer_sid and a.payee_sid = u.payee_sid
where u.date_stop >= a.bill_from
union
select distinct (c.date_stop at time zone 'UTC')::date
from invoice.claims as c
join invoice.invoices as i on i.invoice_sid = c.invoice_sid
where i.status not in ('complete', 'uncollectable')
