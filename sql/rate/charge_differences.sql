-- rate.charge_differences: where the provider's charge is not what its own plan says, and why.
--
-- Grain:  one row per record.
-- Reads:  rate.charge_costs, rate.rates, rate.plans, land.messages
-- difference is what the provider charged too much. reason is the first of these that leads to the charge:
--   unrated: WHY         we cannot say what it should cost, and it was charged (unrated: answer_missing and others)
--   not_billable         it should have been free
--   not_charged          it has no price, or one of 0
--   rounding             our amount, rounded to 4 to 9 decimals in whatever way
--   unit                 our seconds, the price being per 60 s, or per minimum: whichever we did not take
--   increment            the seconds that the provider says it billed; without those, the other rule of increments
--   increment and unit   both of these
--   segments             of a message: its price, for another whole number of units
--   date                 the row of another version of the same plan
--   prefix               a row of the same version with a shorter prefix (messages: a less or more exact network)
--   plan                 the row of another plan of the provider that was in force
--   unit                 60 times our price or a sixtieth of it: minutes for seconds
--   charged_twice        twice our amount
--   charged_half         half our amount
--   decimal_shift        our amount with its point up to three places to the left or right
--   unexplained          none of these: a wrong charge
-- A charge is met by an amount if it is that amount with 6 decimals or more, however rounded. All on integers: prices in
-- 1e-12 of the currency, times in milliseconds; q is the coarsest step, in 1e-12, that the charge is a multiple of.
-- Multiples come last, and only of amounts of 20 steps or more: below that, rounding alone could make one.
with costs as (
    select
        * exclude (base_seconds, unit_seconds, billed_units),
        (unit_seconds * 1000)::bigint as unit_ms,
        (base_seconds * 1000)::bigint as base_ms,
        (billed_seconds * 1000)::bigint as billed_ms,
        (provider_billed_seconds * 1000)::bigint as their_ms,
        billed_units
    from rate.charge_costs
),

differing as (
    select
        *,
        (provider_price * 1000000000000)::hugeint as charge,
        (amount * 1000000000000)::hugeint as ours,
        (rate_price * 1000000000000)::hugeint as price_e12,
        (coalesce(connect_fee, 0) * 1000000000000)::hugeint as fee_e12
    from costs
    where coalesce(provider_price, -1) <> coalesce(amount, 0)
        and (rating_status = 'rated' or provider_price <> 0)
),

scaled as (
    select
        *,
        case
            when charge % 100000000 = 0 then 100000000
            when charge % 10000000 = 0 then 10000000
            when charge % 1000000 = 0 then 1000000
            when charge % 100000 = 0 then 100000
            when charge % 10000 = 0 then 10000
            when charge % 1000 = 0 then 1000
            when charge % 100 = 0 then 100
            else 1
        end::hugeint as q
    from differing
),

-- What the record alone can tell.
read_anew as (
    select
        d.*,
        least(d.q, 1000000)::hugeint as step,
        case when d.unit_ms = 60000 then nullif(r.minimum_ms, 0) else 60000 end as other_unit_ms,
        coalesce(
            d.their_ms,
            case
                when p.increment_rule = 'after_minimum' then
                    greatest(r.minimum_ms, (d.base_ms + r.increment_ms - 1) // r.increment_ms * r.increment_ms)
                when d.base_ms <= r.minimum_ms then r.minimum_ms
                else r.minimum_ms
                    + (d.base_ms - r.minimum_ms + r.increment_ms - 1) // r.increment_ms * r.increment_ms
            end
        ) as other_ms
    from scaled as d
    left join rate.rates as r
        on d.service = 'call' and r.plan_sid = d.plan_sid and r.plan_version = d.plan_version
        and r.prefix = d.matched_prefix
    left join rate.plans as p on p.plan_sid = d.plan_sid and p.plan_version = d.plan_version
),

direct as (
    select
        *,
        case
            when rating_status = 'unrated' then 'unrated: ' || unrated_reason
            when rating_status = 'not_billable' then 'not_billable'
            when provider_price is null then 'not_charged'
            when abs(ours - charge) < q then 'rounding'
            when charge = 0 then 'not_charged'
            when service = 'call' and abs((charge - fee_e12) * other_unit_ms - price_e12 * billed_ms)
                < step * other_unit_ms then 'unit'
            when service = 'call' and other_ms <> billed_ms
                and abs((charge - fee_e12) * unit_ms - price_e12 * other_ms) < step * unit_ms then 'increment'
            when service = 'call' and other_ms <> billed_ms
                and abs((charge - fee_e12) * other_unit_ms - price_e12 * other_ms) < step * other_unit_ms
                then 'increment and unit'
            when service = 'message' and price_e12 > 0 and charge > 0 and charge % price_e12 = 0 then 'segments'
        end as told,
        case
            when least(ours, charge) < 20 * step then null
            when service = 'call' and (
                abs((charge - fee_e12) - 60 * (ours - fee_e12)) < step
                or abs(60 * (charge - fee_e12) - (ours - fee_e12)) < 60 * step
            ) then 'unit'
            when abs(charge - 2 * ours) < step then 'charged_twice'
            when abs(2 * charge - ours) < 2 * step then 'charged_half'
            when abs(charge - 10 * ours) < step or abs(charge - 100 * ours) < step or abs(charge - 1000 * ours) < step
                or abs(10 * charge - ours) < 10 * step or abs(100 * charge - ours) < 100 * step
                or abs(1000 * charge - ours) < 1000 * step then 'decimal_shift'
        end as multiple
    from read_anew
),

lengths as (
    select distinct length(prefix) as length from rate.rates
),

-- Every row of the provider's plans that could have priced what is still open.
open_calls as (
    select
        d.source, d.dr_sid, d.plan_sid, d.plan_version, d.date_start, d.charge, d.step, d.base_ms, d.their_ms,
        r.plan_sid as other_plan, r.plan_version as other_version, r.prefix, p.effective_from, p.effective_to,
        p.increment_rule, r.increment_ms, r.minimum_ms, r.unit_ms,
        (r.price * 1000000000000)::hugeint as price_e12, (r.connect_fee * 1000000000000)::hugeint as fee_e12,
        length(r.prefix) = max(length(r.prefix)) over (
            partition by d.source, d.dr_sid, r.plan_sid, r.plan_version
        ) as longest
    from direct as d
    join rate.plans as p on p.origin = 'provider' and p.service = 'call'
    join lengths as l on l.length <= length(d.matched_number)
    join rate.rates as r
        on r.plan_sid = p.plan_sid and r.plan_version = p.plan_version and r.status = 'active'
        and r.prefix = left(d.matched_number, l.length)
    where d.told is null and d.service = 'call'
),

open_messages as (
    select
        d.source, d.dr_sid, d.plan_sid, d.plan_version, d.date_start, d.charge, d.step, d.billed_units,
        r.plan_sid as other_plan, r.plan_version as other_version, p.effective_from, p.effective_to,
        (r.price * 1000000000000)::hugeint as price_e12,
        r.exact = max(r.exact) over (partition by d.source, d.dr_sid, r.plan_sid, r.plan_version) as longest
    from direct as d
    join land.messages as m on m.source = d.source and m.dr_sid = d.dr_sid
    join rate.plans as p on p.origin = 'provider' and p.service = 'message'
    join (
        select *, case when mnc is not null then 3 when mcc is not null then 2 when country_code is not null then 1 else 0
            end as exact
        from rate.rates
    ) as r
        on r.plan_sid = p.plan_sid and r.plan_version = p.plan_version and r.status = 'active'
        and (r.mcc is null or r.mcc = m.mcc) and (r.mnc is null or r.mnc = m.mnc)
        and (r.mcc is not null or r.country_code is null or r.country_code = d.country_code)
    where d.told is null and d.service = 'message'
),

tried as (
    select
        source, dr_sid, plan_sid, plan_version, date_start, other_plan, other_version, effective_from, effective_to,
        longest,
        abs((charge - fee_e12) * unit_ms - price_e12 * case
            when increment_rule = 'total' then
                greatest(minimum_ms, (base_ms + increment_ms - 1) // increment_ms * increment_ms)
            when base_ms <= minimum_ms then minimum_ms
            else minimum_ms + (base_ms - minimum_ms + increment_ms - 1) // increment_ms * increment_ms
        end) < step * unit_ms
        or coalesce(abs((charge - fee_e12) * unit_ms - price_e12 * their_ms) < step * unit_ms, false) as met
    from open_calls
    union all by name
    select
        source, dr_sid, plan_sid, plan_version, date_start, other_plan, other_version, effective_from, effective_to,
        longest, abs(charge - price_e12 * billed_units) < step as met
    from open_messages
),

found as (
    select
        source, dr_sid,
        case min(case
            when other_plan = plan_sid and other_version <> plan_version and longest then 1
            when other_plan = plan_sid and other_version = plan_version then 2
            when other_plan <> plan_sid and longest and coalesce(date_start >= effective_from, true)
                and coalesce(date_start < effective_to, true) then 3
        end) when 1 then 'date' when 2 then 'prefix' when 3 then 'plan' end as told
    from tried
    where met
    group by source, dr_sid
)

select
    d.source, d.dr_sid, d.service, d.direction, d.family, d.partner_sid, d.country_code, d.date_start, d.date_stop,
    d.matched_number, d.plan_sid, d.plan_version, d.matched_prefix, d.rate_price, d.rating_status, d.unrated_reason,
    d.billed_seconds, d.provider_billed_seconds, d.amount, d.provider_price, d.currency,
    coalesce(d.provider_price, 0) - coalesce(d.amount, 0) as difference,
    coalesce(d.told, f.told, d.multiple, 'unexplained') as reason
from direct as d
left join found as f on f.source = d.source and f.dr_sid = d.dr_sid
