-- purpose: which invoices and reminders have not reached everybody they were for, and why
-- grain:   one row per message of the outbox that is held, refused, bounced, of unknown fate, or sent to some alone
-- reads:   deliver.emails, invoice.invoices
-- `tollbook deliver --resend NUMBER --to ADDRESS` sends one again. What merely waits for its turn is not here.
select
    i.number, i.partner_sid, i.company_name, e.kind, e.level, e.status, e.recipients, e.error, e.queued_at, i.date_due,
    i.amount_due, i.currency, e.email_sid
from deliver.emails as e
join invoice.invoices as i on i.invoice_sid = e.invoice_sid
where e.status in ('held', 'failed', 'bounced', 'unknown') or (e.status = 'sent' and e.error <> '')
order by e.queued_at, i.number, e.level
