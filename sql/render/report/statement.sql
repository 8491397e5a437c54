-- purpose: the statement that adds up, from the first record fetched to the last invoice
-- grain:   one row per line
-- reads:   measure.statement
select section, service, side, what, reason, records, seconds, money, currency
from measure.statement
order by line
