-- purpose: where each customer called in the days before
-- grain:   one row per partner (on its day), what is looked at and its name: the most seconds of a day
-- reads:   who, known_ranges
select who.partner, known.what, known.subject, max(known.seconds) as seconds
from who
join known_ranges as known on known.partner_sid = who.partner_sid
    and known.day < who.day and known.day >= who.day - $history_days
group by all
