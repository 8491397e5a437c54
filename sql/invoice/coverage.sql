-- invoice.coverage: whether every landed record is rated, on both sides and in its newest revision.
--
-- Grain:  one row per service, partner and UTC day.
-- Reads:  land.calls, land.messages, rate.calls, rate.messages
-- Sets of records are compared by their count and the sum of their hashes: no join over all records is needed.
-- A record belongs to level 1 of the charge side exactly once; higher levels are resellers' own business on top.
with facts as (
    select 'call' as service, coalesce(partner_sid, '') as partner_sid, date_stop::date as day, 'landed' as place,
        hash(source, dr_sid, revision) as mark
    from land.calls
    union all
    select 'message', coalesce(partner_sid, ''), date_insert::date, 'landed', hash(source, dr_sid, revision)
    from land.messages
    union all
    select service, coalesce(partner_sid, ''), date_stop::date, side, hash(source, dr_sid, revision)
    from rate.calls
    where level <= 1
    union all
    select service, coalesce(partner_sid, ''), date_stop::date, side, hash(source, dr_sid, revision)
    from rate.messages
    where level <= 1
),

counted as (
    select
        service, partner_sid, day,
        count(*) filter (place = 'landed') as landed,
        count(*) filter (place = 'cost') as cost,
        count(*) filter (place = 'charge') as charged,
        coalesce(sum(mark) filter (place = 'landed'), 0) as landed_mark,
        coalesce(sum(mark) filter (place = 'cost'), 0) as cost_mark,
        coalesce(sum(mark) filter (place = 'charge'), 0) as charge_mark
    from facts
    group by service, partner_sid, day
)

select
    service, partner_sid, day, landed, cost, charged,
    landed = cost and landed_mark = cost_mark and landed = charged and landed_mark = charge_mark as complete
from counted
