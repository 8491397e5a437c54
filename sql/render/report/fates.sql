-- purpose: what became of what customers were charged: invoiced, waiting and why, written off
-- grain:   one row per currency, fate and reason
-- reads:   measure.statement
select what as fate, reason, sum(records)::bigint as records, sum(money) as money, currency
from measure.statement
where section = 'charged'
group by what, reason, currency
order by currency, money desc, fate, reason
