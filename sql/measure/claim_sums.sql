-- purpose: what each invoice claims, before its lines are rounded
-- grain:   one row per invoice that claims a record; a later revision is claimed by its difference, and counts again
-- reads:   invoice.claims
-- columns:
--   records: claims
--   seconds: billed seconds of calls
--   money: what they come to
select
    invoice_sid,
    count(*) as records,
    sum(usage) filter (service = 'call')::decimal(38, 3) as seconds,
    sum(amount)::decimal(38, 10) as money
from invoice.claims
group by invoice_sid
