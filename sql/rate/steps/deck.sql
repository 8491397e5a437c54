-- The rows of the plans as integers, and what they say: many rows of a deck say the same.
--
-- Grain:  terms  one row per set of terms that rows give, and one of nulls, term_id 0, for calls that no row fits
--         deck   one row per rate of a plan version in use
-- Reads:  plans       plan_key, plan_sid, plan_version of the plan versions in use
--         rate.rates  their rows
-- Prices are in 1e-12 of the currency. A tick is the longest time that divides increment, minimum and unit, so that
-- price_e12 times the ticks of a call is exact. whole() makes prices and ticks 128 bits wide, or 64 where ``largest``,
-- the largest number that rating any call could meet, is small enough. Times without an end reach further than any call.
-- The tables are no temporary ones: all connections that rate together read them.
create or replace temp table stated as
select
    (row_number() over ())::integer as term_id,
    *,
    greatest(gcd(gcd(increment_ms, minimum_ms), unit_ms), 1) as tick_ms,
    (price * 1000000000000)::hugeint as price_e12,
    (connect_fee * 1000000000000)::hugeint as connect_fee_e12
from (
    select distinct
        r.country_code, r.status, r.price, r.connect_fee, r.increment_ms, r.minimum_ms, r.grace_ms, r.unit_ms
    from rate.rates as r
    join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
);

create or replace temp view largest as
select coalesce(max(greatest(
    abs(price_e12) * ((86400000 + increment_ms + minimum_ms) // tick_ms)
        + abs(connect_fee_e12) * (unit_ms // tick_ms),
    2 * (unit_ms // tick_ms)::hugeint * (select max(quantum) from plans)
)), 0) as largest
from stated;

create or replace table terms as
select
    * exclude (price_e12, connect_fee_e12),
    whole(price_e12) as price_e12,
    whole(connect_fee_e12) as connect_fee_e12,
    whole(unit_ms // tick_ms) as unit_ticks
from stated
union all by name
select 0 as term_id;

create or replace table deck as
with held as (
    select p.plan_key, coalesce(r.prefix, '') as digits, r.*
    from rate.rates as r
    join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
),

special as (
    select distinct plan_key, digits
    from held
    where coalesce(origin_prefix, '') <> '' or jurisdiction is not null or coalesce(window_name, '') <> ''
        or min_charge is not null or max_charge is not null or coalesce(steps, '') <> ''
)

select
    (row_number() over ())::integer as rate_id,
    h.plan_key,
    h.digits as prefix,
    t.term_id,
    s.digits is not null as is_special,
    coalesce(epoch_ms(h.effective_from), -999999999999999) as from_ms,
    coalesce(epoch_ms(h.effective_to), 999999999999999) as to_ms,
    coalesce(h.origin_prefix, '') as origin_prefix,
    h.jurisdiction,
    coalesce(h.window_name, '') as window_name,
    h.steps, h.min_charge, h.max_charge
from held as h
join stated as t
    on t.price is not distinct from h.price and t.connect_fee is not distinct from h.connect_fee
    and t.increment_ms is not distinct from h.increment_ms and t.minimum_ms is not distinct from h.minimum_ms
    and t.grace_ms is not distinct from h.grace_ms and t.unit_ms is not distinct from h.unit_ms
    and t.country_code is not distinct from h.country_code and t.status is not distinct from h.status
left join special as s on s.plan_key = h.plan_key and s.digits = h.digits
