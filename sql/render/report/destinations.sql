-- purpose: where the outbound calls go, and what each country earns
-- grain:   one row per country and currency
-- reads:   measure.destinations
select country_code, country, currency, calls, answered, asr_percent, talk_seconds, revenue, cost, margin
from measure.destinations
where month = $first
order by talk_seconds desc, country_code, currency
