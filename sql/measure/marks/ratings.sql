-- measure.ratings from the roll-ups; looked at are only the charges that could not be rated.
--
-- Grain:  that of measure.ratings
-- Reads:  measure.money_days, measure.exceptions, rate.suspense
with suspended as (
    select service, source, dr_sid, level, payer_sid, payee_sid, unrated_reason
    from measure.exceptions
    where side = 'charge' and rating_status = 'unrated'
)

select
    service, case when level > 1 then 'resold' else side end as side, rating_status, unrated_reason, null as standing,
    sum(records)::bigint as records,
    sum(billed_seconds) filter (rating_status = 'rated' and service = 'call')::decimal(38, 3) as billed_seconds,
    sum(amount) filter (rating_status = 'rated')::decimal(38, 10) as amount,
    case when rating_status = 'rated' then currency end as currency
from measure.money_days
where side <> 'charge' or rating_status <> 'unrated'
group by all
union all
select
    u.service, case when u.level > 1 then 'resold' else 'charge' end, 'unrated', u.unrated_reason,
    nullif(s.standing, 'open'), count(*), null, null, null
from suspended as u
left join rate.suspense as s
    on s.source = u.source and s.dr_sid = u.dr_sid and s.payer_sid = u.payer_sid and s.payee_sid = u.payee_sid
group by all
