-- purpose: what a minute to some numbers costs under a plan
-- grain:   one row per number
-- reads:   rate.plans, rate.rates
-- Change the numbers and the plan; `from quote(...)` for one number shows the row and the reason too.
select number, country_of(number) as country, quote(number, 60, 'retail-outbound-2026') as a_minute
from (values ('+4930901820'), ('+442079460958'), ('+14155550100')) as asked (number);
