-- rate.implied_units: the seconds that the provider's own charges say a price is for.
--
-- Grain:  one row per provider plan, unit rule and implied unit.
-- Reads:  rate.calls, rate.rates, rate.plans
-- Only rows whose minimum is not 60 s can tell one reading from the other: price * billed / charge, which is the unit,
-- to within one part in fifty. agrees says whether that is the unit we rated with.
with charged as (
    select
        c.plan_sid,
        c.plan_version,
        r.minimum_ms,
        (c.unit_seconds * 1000)::bigint as unit_ms,
        ((c.rate_price * 1000000000000)::hugeint * (c.billed_seconds * 1000)::bigint)
            // (c.provider_price * 1000000000000)::hugeint as implied_ms
    from rate.calls as c
    join rate.rates as r
        on r.plan_sid = c.plan_sid and r.plan_version = c.plan_version and r.prefix = c.matched_prefix
    where c.side = 'cost' and c.rating_status = 'rated' and c.rate_price > 0 and c.provider_price > 0
        and r.minimum_ms not in (0, 60000)
),

read_as as (
    select
        *,
        abs(implied_ms - unit_ms) * 50 <= unit_ms as agrees,
        case
            when abs(implied_ms - minimum_ms) * 50 <= minimum_ms then 'minimum'
            when abs(implied_ms - 60000) * 50 <= 60000 then 'fixed:60'
            else 'fixed:' || ((implied_ms + 500) // 1000)
        end as implied_unit
    from charged
)

select
    r.plan_sid,
    p.unit_rule,
    r.implied_unit,
    r.agrees,
    count(*) as records
from read_as as r
join rate.plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
group by r.plan_sid, p.unit_rule, r.implied_unit, r.agrees
order by r.plan_sid, records desc, r.implied_unit
