-- purpose: every balance is the sum of its entries: transactions sum to zero, and what invoices state can be recomputed
-- grain:   one row per transaction, invoice or account that does not
-- reads:   invoice.entries, invoice.invoices, invoice.ageing
with unbalanced as (
    select 'transaction' as what, txn_id as named, currency, sum(amount)::varchar as found, '0' as wanted
    from invoice.entries
    group by txn_id, currency
    having sum(amount) <> 0
),

receivable as (
    select partner_sid, seller, currency, entry_id, kind, invoice_sid, amount,
        sum(amount) over (partition by partner_sid, seller, currency order by entry_id) as balance
    from invoice.entries
    where account = 'receivable'
),

-- An issued document books its lines and taxes once, and nothing else.
booked as (
    select invoice_sid, sum(amount) as amount
    from receivable
    where kind in ('invoice', 'credit_note')
    group by invoice_sid
),

unbooked as (
    select 'document' as what, coalesce(i.number, b.invoice_sid) as named, i.currency,
        b.amount::varchar as found, (i.amount + i.amount_tax)::varchar as wanted
    from (select * from invoice.invoices where number is not null) as i
    full join booked as b on b.invoice_sid = i.invoice_sid
    where b.amount is distinct from i.amount + i.amount_tax
),

-- What an invoice carries forward is the account as its own entry left it.
misstated as (
    select 'invoice' as what, i.number as named, i.currency,
        r.balance::varchar as found, i.balance_forward::varchar as wanted
    from invoice.invoices as i
    join receivable as r on r.invoice_sid = i.invoice_sid and r.kind = 'invoice'
    where i.number is not null and r.balance <> i.balance_forward
),

owed as (
    select partner_sid, seller, currency, sum(amount) as balance from receivable group by all
),

open_debts as (
    select partner_sid, seller, currency, sum(open_amount) as open from invoice.ageing group by all
),

misaged as (
    select 'account' as what, o.partner_sid as named, o.currency, coalesce(d.open, 0)::varchar as found,
        greatest(o.balance, 0)::varchar as wanted
    from owed as o
    left join open_debts as d using (partner_sid, seller, currency)
    where coalesce(d.open, 0) <> greatest(o.balance, 0)
)

from unbalanced
union all by name from unbooked
union all by name from misstated
union all by name from misaged
