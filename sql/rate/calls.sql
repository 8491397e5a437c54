-- rate/calls: every landed call, rated for everybody who pays for it.
--
-- Grain:  one row per call, side and payer.
-- Reads:  due    who pays for which call, on which plan and row: steps/due.sql
--         terms  what the rows of the plans say, as integers; term_id 0 stands for none. A tick is a length of time
--                that divides the row's increment, minimum and unit; prices are in 1e-12 of the currency
--         country_of, item_type_of, rounded, too_large, charged, seconds: see steps/macros.sql
-- Rules:  pipeline/domain/rating.py says the same for one call and is held to the same cases.
-- All arithmetic is on integers: milliseconds, ticks, and prices in 1e-12 of the currency. They are 64 bits wide where
-- the largest price times the longest call fits, else 128: the columns of the terms decide.
-- Calls on rows with an origin, a jurisdiction, hours, steps or bounds (term_id -1) are those of steps/special.sql.
-- Any column of the landed call may be asked for beside those named at the end.
with matched as (
    select
        d.*,
        r.country_code, r.status as rate_status, r.price as rate_price, r.connect_fee,
        r.price_e12, r.connect_fee_e12, r.increment_ms, r.minimum_ms, r.grace_ms, r.unit_ms, r.unit_ticks, r.tick_ms,
        case when not d.answer_missing then d.counted_ms end as base_ms,
        least(greatest(d.counted_ms, 0), 86400000) as bounded_ms
    from due as d
    join terms as r on r.term_id = d.term_id
),

-- The first rule that applies decides. 'rated' stands for none of them.
decided as (
    select
        *,
        case
            when verdict = 'own_use' then 'own_use'
            when start_ms is null then 'no_start'
            when answer_missing or exact_ms is null then 'answer_missing'
            when exact_ms < 0 then 'negative_duration'
            when exact_ms > 86400000 then 'too_long'
            when exact_ms = 0 then 'not_answered'
            when direction is null or direction not in ('inbound', 'outbound') then 'direction'
            when verdict is not null then verdict
            when plan_key is null then coalesce(missing, 'no_plan')
            when number is null then 'no_number'
            when term_id = 0 then 'no_rate'
            when rate_status = 'blocked' or rate_price is null then 'blocked'
            when counted_ms <= grace_ms then 'grace'
            else 'rated'
        end as ruling,
        -- Whole increments, by ceiling division: over the whole call, or over what lies beyond the minimum.
        case
            when increment_rule = 'total'
                then greatest(minimum_ms, (bounded_ms + increment_ms - 1) // increment_ms * increment_ms)
            when bounded_ms <= minimum_ms then minimum_ms
            else minimum_ms
                + (bounded_ms - minimum_ms + increment_ms - 1) // increment_ms * increment_ms
        end as billed_ms
    from matched
),

-- connect_fee + price * billed / unit, as a fraction of whole rounding steps: steps = share // whole.
shares as (
    select
        *,
        connect_fee_e12 * unit_ticks + price_e12 * (billed_ms // tick_ms) as signed_share,
        abs(connect_fee_e12 * unit_ticks + price_e12 * (billed_ms // tick_ms)) as share,
        unit_ticks * quantum as whole
    from decided
),

-- From rounding steps to 1e-10; what the column cannot hold is no charge but a broken deck.
priced as (
    select
        * exclude (steps),
        sign(signed_share) * steps * (quantum // 100) as amount_e10,
        case when ruling = 'rated' and too_large(steps, quantum) then 'out_of_range' else ruling end as reason
    from (select *, rounded(share, whole, rounding_mode) as steps from shares)
),

concluded as (
    select
        *,
        case
            when reason = 'rated' then 'rated'
            when reason in ('own_use', 'not_answered', 'grace') then 'not_billable'
            else 'unrated'
        end as rating_status
    from priced
)

select
    * exclude (country_code, rate_price),
    'call' as service,
    item_type_of(family, number) as item_type,
    -- Asked only where the row does not say: a case, unlike a coalesce, leaves the other calls alone.
    case when country_code is null then country_of(number) else country_code end as country_code,
    number as matched_number,
    case when reason <> 'rated' then reason end as unrated_reason,
    prefix as matched_prefix,
    rate_price,
    charged(rating_status, amount_e10) as amount,
    case when side = 'cost' then price end as provider_price,
    seconds(base_ms) as base_seconds,
    seconds(unit_ms) as unit_seconds,
    case rating_status when 'rated' then seconds(billed_ms) when 'not_billable' then 0 end as billed_seconds,
    case when side = 'cost' then duration_billing end as provider_billed_seconds
from concluded
