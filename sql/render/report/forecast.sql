-- purpose: what the newest month's usage will come to
-- grain:   one row per customer and currency
-- reads:   measure.forecast
-- So far, and for each day to come the mean of the same weekday within the last 28 days; measure.forecast says it exactly.
select month, newest_day, partner_sid, company_name, currency, so_far, expected, forecast
from measure.forecast
order by forecast desc, partner_sid, currency
