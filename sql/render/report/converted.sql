-- purpose: the month's money in the one currency that reports add up in, each day at the rate that served it
-- grain:   one row per currency of the month; none where no exchange rates are kept
-- reads:   measure.traffic, invoice.draws, invoice.invoices, measure.exchange_rates
-- days_without_rate are days with money that no rate serves: it is in none of the sums. For comparison: nobody is billed so.
with money as (
    select day, currency, revenue, cost
    from measure.traffic
    where day >= $first and day < $after
    union all
    select (draws.date_stop at time zone 'UTC')::date, invoices.currency, draws.amount, 0
    from invoice.draws as draws
    inner join invoice.invoices as invoices using (invoice_sid)
    where draws.date_stop >= $first::timestamptz and draws.date_stop < $after::timestamptz
),

days as (
    select day, currency, sum(revenue)::decimal(26, 10) as revenue, sum(cost)::decimal(26, 10) as cost
    from money
    group by day, currency
    having sum(revenue) <> 0 or sum(cost) <> 0
),

wanted as (
    select distinct report_currency from measure.exchange_rates
),

sums as (
    select
        days.currency, wanted.report_currency,
        count(*) filter (rates.rate is null) as days_without_rate,
        coalesce(sum(round(days.revenue * rates.rate, 10)), 0)::decimal(38, 10) as revenue,
        coalesce(sum(round(days.cost * rates.rate, 10)), 0)::decimal(38, 10) as cost
    from days
    cross join wanted
    left join measure.exchange_rates as rates
        on rates.currency = days.currency and days.day >= rates.date and days.day < rates.until
    group by days.currency, wanted.report_currency
)

select currency, report_currency, days_without_rate, revenue, cost, revenue - cost as margin
from sums
order by revenue desc, currency
