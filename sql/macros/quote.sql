-- purpose: quote(number, seconds, plan): what a call to a number costs under a plan, and by which row
-- grain:   one row: `from quote('+4930901820', 61, 'retail-outbound')`
-- reads:   rate.plans, rate.rates
-- Rules:   pipeline/domain/rating.py; a test holds this to them.
-- `select quote(...)` gives the amount alone. The rates are those in force now, or at an instant: `as_of := '2026-03-01'`.
-- The amount is null, and `reason` says why, where there is no plan, no row or no price, and where the row depends on
-- more than number and length (caller, hours, steps, limits): `tollbook quote` knows those too.
create or replace macro quote(number, seconds, plan, as_of := now()) as table
    with asked as (
        select
            plan::varchar as plan_sid,
            as_of::timestamptz as instant,
            case
                when regexp_full_match(number, '[0-9+ ().-]*[0-9][0-9+ ().-]*')
                    then regexp_replace(number, '[^0-9]', '', 'g')
            end as digits,
            round(seconds::decimal(18, 3) * 1000)::hugeint as exact_ms
    ),

    version as (
        select a.*, p.* exclude (plan_sid, rows)
        from asked as a
        left join rate.plans as p
            on p.plan_sid = a.plan_sid
            and p.service = 'call'
            and a.instant >= coalesce(p.effective_from, a.instant)
            and a.instant < coalesce(p.effective_to, 'infinity'::timestamptz)
    ),

    fitting as (
        select v.*, r.* exclude (plan_sid, plan_version, effective_from, effective_to, country_code, mcc, mnc)
        from version as v
        left join rate.rates as r
            on r.plan_sid = v.plan_sid
            and r.plan_version = v.plan_version
            and v.instant >= coalesce(r.effective_from, v.instant)
            and v.instant < coalesce(r.effective_to, 'infinity'::timestamptz)
            and starts_with(v.digits, r.prefix)
        qualify rank() over (order by strlen(r.prefix) desc nulls last) = 1
    ),

    counted as (
        select
            *,
            count(prefix) over () > 1 or coalesce(origin_prefix, '') <> '' or jurisdiction is not null
                or coalesce(window_name, '') <> '' or min_charge is not null or max_charge is not null
                or coalesce(steps, '') <> '' as is_special,
            case base_rounding
                when 'floor' then exact_ms // 1000 * 1000
                when 'round' then (exact_ms + 500) // 1000 * 1000
                else exact_ms
            end as base_ms
        from fitting
    ),

    billed as (
        select
            *,
            case
                when plan_version is null then 'no_plan'
                when digits is null then 'no_number'
                when price is null and status is null then 'no_rate'
                when is_special then 'special'
                when exact_ms < 0 then 'negative_duration'
                when exact_ms > 86400000 then 'too_long'
                when exact_ms = 0 then 'not_answered'
                when status = 'blocked' or price is null then 'blocked'
                when base_ms <= grace_ms then 'grace'
            end as reason,
            case
                when increment_rule = 'total'
                    then greatest(minimum_ms, (base_ms + increment_ms - 1) // increment_ms * increment_ms)
                when base_ms <= minimum_ms then minimum_ms
                else minimum_ms + (base_ms - minimum_ms + increment_ms - 1) // increment_ms * increment_ms
            end::hugeint as billed_ms,
            (10 ** (12 - rounding_decimals))::hugeint as quantum
        from counted
    ),

    -- connect_fee + price * billed / unit, in 1e-12 of the currency, as a fraction of whole rounding steps.
    shares as (
        select
            *,
            (connect_fee * 1000000000000)::hugeint * unit_ms + (price * 1000000000000)::hugeint * billed_ms as signed,
            abs((connect_fee * 1000000000000)::hugeint * unit_ms + (price * 1000000000000)::hugeint * billed_ms)
                as share,
            unit_ms::hugeint * quantum as whole
        from billed
    ),

    rounded as (
        select
            *,
            sign(signed)::hugeint * (
                share // whole + case
                    when rounding_mode = 'half_up' and share % whole * 2 >= whole then 1
                    when rounding_mode = 'up' and share % whole > 0 then 1
                    when rounding_mode = 'half_even' and share % whole * 2 > whole then 1
                    when rounding_mode = 'half_even' and share % whole * 2 = whole and share // whole % 2 = 1 then 1
                    else 0
                end
            ) * (quantum // 100) as amount_e10
        from shares
    )

    select
        plan_sid, plan_version, digits as number, prefix, price, connect_fee, currency,
        case
            when reason in ('not_answered', 'grace') then 0::decimal(18, 3)
            when reason is null then (billed_ms::decimal(15, 0) * 0.001::decimal(3, 3))::decimal(18, 3)
        end as billed_seconds,
        case
            when reason in ('not_answered', 'grace') then 0::decimal(20, 10)
            when reason is null then (amount_e10::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
        end as amount,
        reason
    from rounded
    limit 1;

create or replace macro quote(number, seconds, plan, as_of := now()) as (
    select q.amount from quote(number, seconds, plan, as_of := as_of) as q
);
