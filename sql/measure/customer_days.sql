-- purpose: what each of our customers brings in and what its traffic costs us, day by day
-- grain:   one row per UTC day, customer that we charge (level 1) and currency
-- reads:   measure.money_days, invoice.draws, invoice.invoices
-- Revenue is at the price of the plans, less what bundles and tiers have taken off what is invoiced (drawn). Where a
-- customer pays in another currency than we do, what its traffic costs is a row of its own: two currencies never meet
-- in a sum. A record that has no plan has no currency; it is counted with the day's others.
with priced as (
    select
        day, customer_sid, service, level, records, answered, talk_seconds, billed_seconds, billed_units, amount,
        coalesce(currency, max(currency) over (partition by day), 'USD') as currency
    from measure.money_days
    where level <= 1
),

charged as (
    select
        day, customer_sid, currency,
        coalesce(sum(records) filter (level = 1 and service = 'call'), 0)::bigint as calls,
        coalesce(sum(answered) filter (level = 1), 0)::bigint as answered,
        coalesce(sum(records) filter (level = 1 and service = 'message'), 0)::bigint as messages,
        coalesce(sum(talk_seconds) filter (level = 1), 0)::decimal(38, 3) as talk_seconds,
        coalesce(sum(billed_seconds) filter (level = 1), 0)::decimal(38, 3) as billed_seconds,
        coalesce(sum(billed_units) filter (level = 1), 0)::bigint as billed_units,
        coalesce(sum(amount) filter (level = 1), 0)::decimal(38, 10) as charged,
        coalesce(sum(amount) filter (level = 0), 0)::decimal(38, 10) as cost
    from priced
    group by day, customer_sid, currency
),

drawn as (
    select
        (draws.date_stop at time zone 'UTC')::date as day, draws.payer_sid as customer_sid, invoices.currency,
        sum(draws.amount)::decimal(38, 10) as drawn
    from invoice.draws as draws
    inner join invoice.invoices as invoices using (invoice_sid)
    group by all
)

select
    day, customer_sid, currency,
    coalesce(calls, 0) as calls,
    coalesce(answered, 0) as answered,
    coalesce(messages, 0) as messages,
    coalesce(talk_seconds, 0)::decimal(38, 3) as talk_seconds,
    coalesce(billed_seconds, 0)::decimal(38, 3) as billed_seconds,
    coalesce(billed_units, 0) as billed_units,
    coalesce(drawn, 0)::decimal(38, 10) as drawn,
    coalesce(charged, 0)::decimal(38, 10) + coalesce(drawn, 0)::decimal(38, 10) as revenue,
    coalesce(cost, 0)::decimal(38, 10) as cost
from charged
full join drawn using (day, customer_sid, currency)
