-- purpose: the statement day by day: what landed, how it was rated, and what became of what was charged
-- grain:   one row per UTC day, section, service, side, line, reason and currency
-- reads:   measure.call_hours, measure.message_days, measure.money_days, measure.fates_by_day
-- seconds are billed seconds of calls. The days add up to the lines of the same names in measure.statement, where that is as
-- new as the roll-ups. What was fetched and quarantined has no day of usage, and invoices are sums over many.
with lines as (
    select 1 as rank, day, 'landed' as section, 'call' as service, null as side, 'landed' as what, null as reason,
        sum(calls)::bigint as records, null::decimal(38, 3) as seconds, null::decimal(38, 10) as money, null as currency
    from measure.call_hours
    group by day
    union all
    select 1, day, 'landed', 'message', null, 'landed', null, sum(messages)::bigint, null, null, null
    from measure.message_days
    group by day
    union all
    select 2, day, 'rated', service, case when level > 1 then 'resold' else side end, rating_status, unrated_reason,
        sum(records)::bigint,
        sum(billed_seconds) filter (rating_status = 'rated')::decimal(38, 3),
        sum(amount) filter (rating_status = 'rated')::decimal(38, 10),
        case when rating_status = 'rated' then currency end
    from measure.money_days
    group by all
    union all
    select 3, day, 'charged', service, null, fate, reason, records, case when service = 'call' then usage end, money,
        currency
    from measure.fates_by_day
)

select * exclude (rank)
from lines
order by day, rank, service, side, what, reason, currency
