-- The rows of the plans for messages as integers.
--
-- Grain:  one row per rate of a plan version in use; specificity: 4 network, 3 mobile country code, 2 country, 1 default
-- Reads:  plans       plan_key, plan_sid, plan_version of the plan versions in use
--         rate.rates  their rows
-- Prices are in 1e-12 of the currency. Times without an end reach further than any message.
create or replace table deck as
select
    (row_number() over ())::integer as rate_id,
    p.plan_key, r.mcc, r.mnc, r.country_code, r.status, r.price,
    (r.price * 1000000000000)::hugeint as price_e12,
    case when r.mcc is null then case when r.country_code is null then 1 else 2 end
        when r.mnc is null then 3 else 4 end as specificity,
    coalesce(epoch_ms(r.effective_from), -999999999999999) as from_ms,
    coalesce(epoch_ms(r.effective_to), 999999999999999) as to_ms
from rate.rates as r
join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
