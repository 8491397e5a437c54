-- What an account owed at an instant, debt by debt.
-- Grain: one row per invoice or other debit of which something was open, the oldest first.
-- Reads: invoice.entries, invoice.invoices, invoice.disputes
-- The rule is that of invoice.ageing, over what had been booked and contested by then: what came in settles the oldest
-- debt first.
with account as (
    select *,
        greatest(amount, 0) as debit,
        sum(greatest(amount, 0)) over (order by entry_id) as debits_so_far,
        sum(least(amount, 0)) over () as credits
    from invoice.entries
    where account = 'receivable' and partner_sid = $customer and seller = $seller and currency = $currency
        and "at" <= $as_of
),

remaining as (
    select *, greatest(0, least(debit, debits_so_far + credits))::decimal(20, 2) as open_amount from account where debit > 0
),

contested as (
    select invoice_sid, sum(amount)::decimal(20, 2) as amount
    from invoice.disputes
    where opened_at <= $as_of and (settled_at is null or settled_at > $as_of)
    group by invoice_sid
)

select
    r.kind, i.number, coalesce(i.date_due, r.at) as date_due, r.debit as amount, r.open_amount,
    coalesce(c.amount, 0)::decimal(20, 2) as contested
from remaining as r
left join invoice.invoices as i on i.invoice_sid = r.invoice_sid
left join contested as c on c.invoice_sid = r.invoice_sid
where r.open_amount > 0
order by date_due, number
