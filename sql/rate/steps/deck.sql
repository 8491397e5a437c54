-- The rows of the plans as integers.
--
-- Grain:  one row per rate of a plan version in use, and one of nulls, rate_id 0, for calls that none fits.
-- Reads:  plans       plan_key, plan_sid, plan_version of the plan versions in use
--         rate.rates  their rows
-- Prices are in 1e-12 of the currency. A tick is the longest time that divides increment, minimum and unit, so that
-- price_e12 times the ticks of a call is exact. whole() makes prices and ticks 128 bits wide, or 64 where ``largest``,
-- the largest number that rating any call could meet, is small enough. Times without an end reach further than any call.
-- The table is no temporary one: all connections that rate together read it.
create or replace temp view deck_rows as
select
    p.plan_key, r.* exclude (plan_sid, plan_version, prefix, origin_prefix, window_name),
    coalesce(r.prefix, '') as prefix,
    coalesce(r.origin_prefix, '') as origin_prefix,
    coalesce(r.window_name, '') as window_name,
    greatest(gcd(gcd(r.increment_ms, r.minimum_ms), r.unit_ms), 1) as tick_ms,
    (r.price * 1000000000000)::hugeint as price_e12,
    (r.connect_fee * 1000000000000)::hugeint as connect_fee_e12,
    coalesce(epoch_ms(r.effective_from), -999999999999999) as from_ms,
    coalesce(epoch_ms(r.effective_to), 999999999999999) as to_ms,
    p.quantum
from rate.rates as r
join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version;

create or replace temp view largest as
select coalesce(max(greatest(
    abs(price_e12) * ((86400000 + increment_ms + minimum_ms) // tick_ms)
        + abs(connect_fee_e12) * (unit_ms // tick_ms),
    2 * (unit_ms // tick_ms)::hugeint * quantum
)), 0) as largest
from deck_rows;

create or replace table deck as
with special as (
    select distinct plan_key, prefix
    from deck_rows
    where origin_prefix <> '' or jurisdiction is not null or window_name <> '' or min_charge is not null
        or max_charge is not null or coalesce(steps, '') <> ''
),

numbered as (
    select
        (row_number() over ())::integer as rate_id,
        r.* exclude (quantum, price_e12, connect_fee_e12),
        s.prefix is not null as is_special,
        whole(r.price_e12) as price_e12,
        whole(r.connect_fee_e12) as connect_fee_e12,
        whole(r.unit_ms // r.tick_ms) as unit_ticks
    from deck_rows as r
    left join special as s on s.plan_key = r.plan_key and s.prefix = r.prefix
),

with_none as (
    select * from numbered
    union all by name
    select 0 as rate_id
)

select * from with_none
