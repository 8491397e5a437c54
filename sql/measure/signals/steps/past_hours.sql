-- purpose: what each customer dialled in the days before, hour by hour
-- grain:   one row per partner (on its day), day before, service and UTC hour
-- reads:   who, known_hours
select
    who.partner, known.day, known.service, known.hour, known.records, known.cost, known.peak,
    dayofweek(known.day) = dayofweek(who.day) as same_weekday
from who
join known_hours as known on known.partner_sid = who.partner_sid
    and known.day < who.day and known.day >= who.day - $history_days
