-- purpose: volume, quality and money of the traffic, day by day and country by country
-- grain:   one row per UTC day, service, direction, country of the far end and currency
-- reads:   measure.money_days
-- ASR (answer-seizure ratio) = answered / attempts; ACD (average call duration) = talk seconds / answered calls (ITU-T
-- E.425); answered is talk time present, see measure.call_hours. Revenue is what we charge (level 1), cost what the
-- provider charges us (level 0). A record that has no plan has no currency; it is counted with the day's others.
with priced as (
    select
        day, service, direction, country_code, level, records, answered, talk_seconds, billed_units, amount,
        coalesce(currency, max(currency) over (partition by day), 'USD') as currency
    from measure.money_days
    where level <= 1
),

sums as (
    select
        day, service, direction, country_code, currency,
        coalesce(sum(records) filter (level = 0), 0)::bigint as attempts,
        coalesce(sum(answered) filter (level = 0), 0)::bigint as answered,
        coalesce(sum(talk_seconds) filter (level = 0), 0)::decimal(38, 3) as talk_seconds,
        coalesce(sum(billed_units) filter (level = 0), 0)::bigint as message_units,
        coalesce(sum(amount) filter (level = 1), 0)::decimal(38, 10) as revenue,
        coalesce(sum(amount) filter (level = 0), 0)::decimal(38, 10) as cost
    from priced
    group by day, service, direction, country_code, currency
)

select
    day, service, direction, country_code, attempts, answered,
    case when service = 'call'
        then ((answered * 2000 + attempts) // nullif(2 * attempts, 0))::decimal(18, 0) * 0.1::decimal(2, 1)
    end as asr_percent,
    talk_seconds,
    (((talk_seconds * 1000)::hugeint + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1)
        as acd_seconds,
    message_units, currency, revenue, cost, revenue - cost as margin
from sums
order by day, service, direction, country_code, currency
