-- purpose: lines are rounded once, and sum to the invoice; its foot adds up
-- grain:   one row per invoice and what differs
-- reads:   invoice.invoices, invoice.items
with lines as (
    select invoice_sid, sum(amount) as amount, max(abs(amount - amount_exact)) as rounded_by
    from invoice.items
    group by all
),

-- A currency in which no amount has cents is one that has none: there a line is rounded to whole units.
invoices as (
    select *, if(bool_or(amount <> trunc(amount)) over (partition by currency), 0.005, 0.5) as most
    from invoice.invoices
),

judged as (
    select
        invoice_sid, number, invoices.amount, lines.amount as lines_amount, rounded_by, balance_forward, amount_due,
        case
            when invoices.amount <> coalesce(lines.amount, 0) then 'lines do not sum to the invoice'
            when rounded_by > most then 'a line is rounded by more than half of the smallest unit'
            when balance_forward <> balance_previous + invoices.amount + amount_tax - payments
                then 'the foot does not add up'
            when amount_due <> greatest(balance_forward, 0) then 'what is due is not what is open'
        end as problem
    from invoices
    left join lines using (invoice_sid)
)

select * from judged where problem is not null
