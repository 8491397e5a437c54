-- purpose: revenue, cost and margin by day
-- grain:   one row per UTC day of the month and currency
-- reads:   measure.traffic
with spine as (
    select unnest(generate_series($first::timestamp, $after::timestamp - interval 1 day, interval 1 day))::date as day
),

currencies as (
    select distinct currency from measure.traffic where day >= $first and day < $after
)

select
    day, currency,
    coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(cost), 0) as cost,
    coalesce(sum(margin), 0) as margin
from spine
cross join currencies
left join measure.traffic using (day, currency)
group by day, currency
order by currency, day
