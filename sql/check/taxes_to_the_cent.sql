-- purpose: each tax is its rate of its base, rounded once or held at a bound, and taxes sum to the invoice's
-- grain:   one row per invoice and what differs
-- reads:   invoice.invoices, invoice.taxes
-- What a credit note gives back is a difference of two such taxes.
with taxes as (
    select
        invoice_sid,
        sum(amount) as amount,
        max(abs(amount - base::decimal(18, 2) * rate::decimal(15, 12)))
            filter (coalesce(method, 'percent') not in ('minimum', 'maximum', 'credit_note')) as rounded_by
    from invoice.taxes
    group by all
),

-- The base is exact in the ledger and rounded here, so a whole cent may lie between. For currencies without cents
-- see items_sum_to_invoice.
invoices as (
    select *, if(bool_or(amount <> trunc(amount)) over (partition by currency), 0.01, 1) as most
    from invoice.invoices
),

judged as (
    select
        invoice_sid, number, amount_tax, taxes.amount as taxes_amount, rounded_by,
        case
            when amount_tax <> coalesce(taxes.amount, 0) then 'taxes do not sum to the invoice'
            when rounded_by >= most then 'a tax is not its rate of its base'
        end as problem
    from invoices
    left join taxes using (invoice_sid)
)

select * from judged where problem is not null
