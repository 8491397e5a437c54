-- purpose: the statement day by day: every landed record is rated, free or unrated, on the side that we charge
-- grain:   one row per UTC day of the month
-- reads:   land.calls, land.messages, rate.calls, rate.messages, invoice.claims
-- What resellers charge is in the money, not in the records.
with ended as (
    select (date_stop at time zone 'UTC')::date as day from land.calls
    union all
    select (date_insert at time zone 'UTC')::date from land.messages
),

landed as (
    select day, count(*) as landed from ended group by day
),

charges as (
    select (date_stop at time zone 'UTC')::date as day, level, rating_status, amount
    from rate.calls
    where side = 'charge'
    union all
    select (date_stop at time zone 'UTC')::date, level, rating_status, amount
    from rate.messages
    where side = 'charge'
),

rated as (
    select
        day,
        count(*) filter (level = 1 and rating_status = 'rated') as rated,
        count(*) filter (level = 1 and rating_status = 'not_billable') as not_billable,
        count(*) filter (level = 1 and rating_status = 'unrated') as unrated,
        coalesce(sum(amount), 0) as charged
    from charges
    group by day
),

claimed as (
    select (date_stop at time zone 'UTC')::date as day, sum(amount) as claimed
    from invoice.claims
    group by all
)

select
    landed.day, landed,
    coalesce(rated, 0) as rated,
    coalesce(not_billable, 0) as not_billable,
    coalesce(unrated, 0) as unrated,
    landed - coalesce(rated, 0) - coalesce(not_billable, 0) - coalesce(unrated, 0) as difference,
    coalesce(charged, 0) as charged,
    coalesce(claimed, 0) as claimed
from landed
left join rated on rated.day = landed.day
left join claimed on claimed.day = landed.day
where landed.day >= $first and landed.day < $after
order by landed.day
