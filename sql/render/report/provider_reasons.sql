-- purpose: records that the provider charged otherwise than its plans say, by what explains it
-- grain:   one row per reason
-- reads:   rate.charge_differences
select
    reason,
    count(*) as records,
    coalesce(sum(provider_price), 0) as charged,
    coalesce(sum(amount), 0) as expected,
    sum(difference) as difference
from rate.charge_differences
where date_stop >= $first::timestamptz and date_stop < $after::timestamptz
group by reason
order by abs(sum(difference)) desc, reason
