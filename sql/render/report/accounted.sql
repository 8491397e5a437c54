-- purpose: the statement day by day: every landed record is rated, free or unrated, on the side that we charge
-- grain:   one row per UTC day of the month
-- reads:   measure.statement_days
-- What resellers charge is in the money, not in the records.
select
    day,
    coalesce(sum(records) filter (section = 'landed'), 0)::bigint as landed,
    coalesce(sum(records) filter (side = 'charge' and what = 'rated'), 0)::bigint as rated,
    coalesce(sum(records) filter (side = 'charge' and what = 'not_billable'), 0)::bigint as not_billable,
    coalesce(sum(records) filter (side = 'charge' and what = 'unrated'), 0)::bigint as unrated,
    coalesce(sum(records) filter (section = 'landed'), 0)::bigint
        - coalesce(sum(records) filter (section = 'rated' and side = 'charge'), 0)::bigint as difference,
    coalesce(sum(money) filter (side in ('charge', 'resold') and what = 'rated'), 0)::decimal(38, 10) as charged,
    coalesce(sum(money) filter (what = 'claimed'), 0)::decimal(38, 10) as claimed,
    coalesce(sum(money) filter (section = 'charged' and what in ('waiting', 'correction waiting')), 0)::decimal(38, 10)
        as waiting,
    coalesce(sum(money) filter (section = 'charged' and what not in ('claimed', 'waiting', 'correction waiting')), 0)
        ::decimal(38, 10) as otherwise
from measure.statement_days
where day >= $first and day < $after
group by day
order by day
