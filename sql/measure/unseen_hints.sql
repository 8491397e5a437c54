-- purpose: records that the provider called back about and that the pull has not seen
-- grain:   one row per callback
-- reads:   measure.hints
-- A callback is no proof, and the pull comes later than it. One that has waited for a day is a question to the provider.
select resource, sid, number_src, number_dst, said_at, received_at
from measure.hints
where seen_at is null
order by received_at, sid
