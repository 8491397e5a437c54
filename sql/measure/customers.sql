-- purpose: what each of our customers brings in and what its traffic costs us, the worst margin first
-- grain:   one row per month, customer that we charge (level 1) and currency
-- reads:   measure.money_days, invoice.draws, invoice.invoices, land.partners
-- Revenue is at the price of the plans, less what bundles and tiers have taken off what is invoiced (drawn). Where a
-- customer pays in another currency than we do, what its traffic costs is a row of its own: two currencies never meet
-- in a sum. A record that has no plan has no currency; it is counted with the day's others.
with priced as (
    select
        date_trunc('month', day)::date as month, customer_sid, service, level, records, answered, talk_seconds,
        billed_seconds, billed_units, amount,
        coalesce(currency, max(currency) over (partition by day), 'USD') as currency
    from measure.money_days
    where level <= 1
),

sides as (
    select
        month, customer_sid, currency, null::decimal(20, 10) as drawn,
        case when level = 1 and service = 'call' then records end as calls,
        case when level = 1 then answered end as answered,
        case when level = 1 and service = 'message' then records end as messages,
        case when level = 1 then talk_seconds end as talk_seconds,
        case when level = 1 then billed_seconds end as billed_seconds,
        case when level = 1 then billed_units end as billed_units,
        case when level = 1 then amount end as charged,
        case when level = 0 then amount end as cost
    from priced
    union all
    select
        date_trunc('month', draws.date_stop at time zone 'UTC')::date, draws.payer_sid, invoices.currency, draws.amount,
        null, null, null, null, null, null, null, null
    from invoice.draws as draws
    inner join invoice.invoices as invoices using (invoice_sid)
),

sums as (
    select
        month, customer_sid, currency,
        coalesce(sum(calls), 0)::bigint as calls,
        coalesce(sum(answered), 0)::bigint as answered,
        coalesce(sum(messages), 0)::bigint as messages,
        coalesce(sum(talk_seconds), 0)::decimal(38, 3) as talk_seconds,
        coalesce(sum(billed_seconds), 0)::decimal(38, 3) as billed_seconds,
        coalesce(sum(billed_units), 0)::bigint as billed_units,
        coalesce(sum(drawn), 0)::decimal(38, 10) as drawn,
        coalesce(sum(charged), 0)::decimal(38, 10) + coalesce(sum(drawn), 0)::decimal(38, 10) as revenue,
        coalesce(sum(cost), 0)::decimal(38, 10) as cost
    from sides
    group by month, customer_sid, currency
)

select
    month, customer_sid as partner_sid, partners.company_name, calls, answered, messages, talk_seconds, billed_seconds,
    billed_units, currency, drawn, revenue, cost, revenue - cost as margin
from sums
left join land.partners as partners on partners.partner_sid = customer_sid
order by month desc, margin, partner_sid, currency
