-- purpose: where the outbound calls go, and what each country earns, the worst margin first
-- grain:   one row per month, country and currency
-- reads:   measure.money_days, land.countries
-- Calls, answered calls (talk time present) and talk seconds are counted with what they cost, in its currency.
with priced as (
    select
        date_trunc('month', day)::date as month, country_code, level, records, answered, talk_seconds, amount,
        coalesce(currency, max(currency) over (partition by day), 'USD') as currency
    from measure.money_days
    where service = 'call' and direction = 'outbound' and level <= 1
),

sums as (
    select
        month, country_code, currency,
        coalesce(sum(records) filter (level = 0), 0)::bigint as calls,
        coalesce(sum(answered) filter (level = 0), 0)::bigint as answered,
        coalesce(sum(talk_seconds) filter (level = 0), 0)::decimal(38, 3) as talk_seconds,
        coalesce(sum(amount) filter (level = 1), 0)::decimal(38, 10) as revenue,
        coalesce(sum(amount) filter (level = 0), 0)::decimal(38, 10) as cost
    from priced
    group by month, country_code, currency
)

select
    month, country_code, countries.common_name as country, currency, calls, answered,
    ((answered * 2000 + calls) // nullif(2 * calls, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    talk_seconds, revenue, cost, revenue - cost as margin
from sums
left join land.countries as countries on countries.iso_3166_alpha_3 = country_code
order by month desc, margin, country_code, currency
