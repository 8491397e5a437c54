-- invoice.ageing: what each account owes, by the debt it is owed for, and how long it has been due.
--
-- Grain:  one row per debit on a customer's account of which something is still open.
-- Reads:  invoice.entries, invoice.invoices, invoice.disputes
-- What came in (payments, credit notes, write-offs) settles the oldest debt first, whatever it was meant for; so the rows
-- of an account sum to its balance, unless that is a credit. days_overdue counts from the due date to today (UTC),
-- negative before it is due; an opening balance was due when it was taken over. contested is what open disputes are
-- about, before taxes; it is part of open_amount.
with account as (
    select *,
        greatest(amount, 0) as debit,
        sum(greatest(amount, 0)) over (
            partition by partner_sid, seller, currency order by entry_id
        ) as debits_so_far,
        sum(least(amount, 0)) over (partition by partner_sid, seller, currency) as credits
    from invoice.entries
    where account = 'receivable'
),

remaining as (
    select *, greatest(0, least(debit, debits_so_far + credits)) as open_amount
    from account
    where debit > 0
),

contested as (
    select invoice_sid, sum(amount) as amount from invoice.disputes where status = 'open' group by invoice_sid
)

select
    r.partner_sid, r.seller, i.company_name, r.kind, i.number, r.invoice_sid, r.at as booked_at,
    coalesce(i.date_due, r.at) as date_due, r.debit as amount, r.open_amount::decimal(20, 2) as open_amount,
    coalesce(c.amount, 0)::decimal(20, 2) as contested, r.currency,
    date_diff('day', coalesce(i.date_due, r.at)::date, current_date) as days_overdue,
    case
        when date_diff('day', coalesce(i.date_due, r.at)::date, current_date) <= 0 then 'not due'
        when date_diff('day', coalesce(i.date_due, r.at)::date, current_date) <= 30 then '1 to 30 days'
        when date_diff('day', coalesce(i.date_due, r.at)::date, current_date) <= 60 then '31 to 60 days'
        when date_diff('day', coalesce(i.date_due, r.at)::date, current_date) <= 90 then '61 to 90 days'
        else 'over 90 days'
    end as age
from remaining as r
left join invoice.invoices as i on i.invoice_sid = r.invoice_sid
left join contested as c on c.invoice_sid = r.invoice_sid
where r.open_amount > 0
