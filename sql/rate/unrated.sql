-- rate.unrated: what could not be priced, calls and messages together, with the reason.
--
-- Grain:  one row per record, side and payer.
-- Reads:  rate.calls, rate.messages
select * exclude (base_seconds, unit_seconds, billed_seconds, provider_billed_seconds)
from rate.calls
where rating_status = 'unrated'
union all by name
select * exclude (billed_units)
from rate.messages
where rating_status = 'unrated'
