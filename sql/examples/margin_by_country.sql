-- purpose: what each country earned and cost in a month, the worst margin first
-- grain:   one row per country and currency
-- reads:   rate.calls
select
    country_code, currency,
    count(*) filter (level = 0) as calls,
    sum(amount) filter (level = 1) as revenue,
    sum(amount) filter (level = 0) as cost,
    coalesce(sum(amount) filter (level = 1), 0) - coalesce(sum(amount) filter (level = 0), 0) as margin
from rate.calls
where in_period(date_stop, '2026-03') and level <= 1
group by all
order by margin;
