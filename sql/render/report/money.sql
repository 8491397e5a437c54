-- purpose: what the month's traffic brings in and what it costs
-- grain:   one row per currency
-- reads:   measure.traffic, invoice.draws, invoice.invoices
-- Charges are at the price of the plans; bundles and tiers change them once they are invoiced.
with traffic as (
    select
        currency,
        coalesce(sum(revenue) filter (service = 'call'), 0)::decimal(38, 10) as calls,
        coalesce(sum(revenue) filter (service = 'message'), 0)::decimal(38, 10) as messages,
        sum(cost)::decimal(38, 10) as cost
    from measure.traffic
    where day >= $first and day < $after
    group by currency
),

drawn as (
    select invoices.currency, sum(draws.amount)::decimal(38, 10) as drawn
    from invoice.draws as draws
    inner join invoice.invoices as invoices using (invoice_sid)
    where draws.date_stop >= $first::timestamptz and draws.date_stop < $after::timestamptz
    group by invoices.currency
)

select
    currency, calls, messages,
    coalesce(drawn, 0)::decimal(38, 10) as drawn,
    calls + messages + coalesce(drawn, 0)::decimal(38, 10) as revenue,
    cost,
    calls + messages + coalesce(drawn, 0)::decimal(38, 10) - cost as margin
from traffic
left join drawn using (currency)
order by revenue desc, currency
