-- measure.claim_sums from the roll-ups.
--
-- Grain:  that of measure.claim_sums
-- Reads:  measure.claim_days
select
    invoice_sid,
    sum(records)::bigint as records,
    sum(usage) filter (service = 'call')::decimal(38, 3) as seconds,
    sum(money)::decimal(38, 10) as money
from measure.claim_days
where what = 'claim'
group by invoice_sid
