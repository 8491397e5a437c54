-- purpose: what became of charges, by the day of the usage
-- grain:   one row per UTC day, service, fate, reason and currency
-- reads:   measure.fates
-- Looks at every record. The statement and the report say the same from measure.charge_days and measure.claim_days, and
-- look only at the records of days on which those differ: sql/measure/marks.
select
    day, service, fate, reason, currency,
    sum(records)::bigint as records,
    sum(usage)::decimal(38, 3) as usage,
    sum(money)::decimal(38, 10) as money
from measure.fates
group by day, service, fate, reason, currency
