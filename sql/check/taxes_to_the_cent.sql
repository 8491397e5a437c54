-- purpose: each tax is its rate of its base, rounded once, and taxes sum to the invoice's tax
-- grain:   one row per invoice and what differs
-- reads:   invoice.invoices, invoice.taxes
with taxes as (
    select
        invoice_sid,
        sum(amount) as amount,
        -- The base is kept exact in the ledger and to the cent here, so the last cent may be the base's.
        max(abs(amount - base::decimal(18, 2) * rate::decimal(15, 12))) as rounded_by
    from invoice.taxes
    group by all
),

judged as (
    select
        invoice_sid, invoices.number, invoices.amount_tax, taxes.amount as taxes_amount, taxes.rounded_by,
        case
            when invoices.amount_tax <> coalesce(taxes.amount, 0) then 'taxes do not sum to the invoice'
            when taxes.rounded_by >= if(invoices.currency in ('JPY', 'KRW', 'CLP', 'VND', 'ISK', 'UGX', 'XAF', 'XOF'), 1, 0.01)
                then 'a tax is not its rate of its base'
        end as problem
    from invoice.invoices as invoices
    left join taxes using (invoice_sid)
)

select * from judged where problem is not null
