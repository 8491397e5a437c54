-- rate/calls: every landed call, rated for everybody who pays for it.
--
-- Grain:  one row per call, side and payer.
-- Reads:  landed         land/calls of the days at hand
--         endpoint_types endpoint_sid, type: the last known type of every endpoint
--         parties        partner_sid, side, level, payer_sid, payee_sid, verdict: who pays for whose calls
--         choices        side, payer_sid, direction, family, from_ms, to_ms, plan_key, missing: the plan by time,
--                        gapless; plan_key is null where there is none, and missing says why
--         plans          plan_key and the terms of each plan version; quantum is the rounding step in 1e-12
--         rate.rates     the rows of the plans
-- Rules:  pipeline/domain/rating.py says the same for one call and is held to the same cases.
-- All arithmetic is on integers: milliseconds, and prices in 1e-12 of the currency.
with bared as (
    select
        *,
        translate(number_dst, '+ ().-', '') as bare_dst,
        translate(number_dst_transformed, '+ ().-', '') as bare_transformed,
        translate(number_dst_original, '+ ().-', '') as bare_original
    from landed
),

usage as (
    select
        b.*,
        coalesce(b.partner_sid, '') as owner_sid,
        case when e.type is null or e.type = 'system_gateway' then 'pstn' else e.type end as family,
        epoch_ms(b.date_start) as start_ms,
        epoch_ms(b.date_talk) as talk_ms,
        epoch_ms(b.date_stop) as stop_ms,
        b.date_talk is null and (coalesce(b.sipcause = 200, false) or coalesce(b.price > 0, false)) as answer_missing,
        case when b.bare_dst <> '' and ltrim(b.bare_dst, '0123456789') = '' then b.bare_dst end as dst,
        case when b.bare_transformed <> '' and ltrim(b.bare_transformed, '0123456789') = ''
            then b.bare_transformed end as transformed,
        case when b.bare_original <> '' and ltrim(b.bare_original, '0123456789') = ''
            then b.bare_original end as original
    from bared as b
    left join endpoint_types as e
        on e.endpoint_sid = case b.direction
            when 'inbound' then b.endpoint_sid_src
            when 'outbound' then b.endpoint_sid_dst
        end
),

-- Who pays, and on which plan at the start of the call.
due as materialized (
    select
        u.source, u.dr_sid, u.revision, p.side, p.level, p.payer_sid, p.payee_sid, p.verdict,
        u.partner_sid, u.direction, u.family, u.date_start, u.date_stop, u.start_ms, u.answer_missing,
        u.price as provider_price, u.duration_billing,
        c.plan_key, c.missing, t.plan_sid, t.plan_version, t.currency, t.increment_rule, t.rounding_mode, t.quantum,
        case
            when u.talk_ms is null then 0
            when t.billable_base = 'duration' then u.stop_ms - u.start_ms
            else u.stop_ms - u.talk_ms
        end as counted_ms,
        case
            when t.match_field = 'number_dst_transformed' and u.number_dst_transformed is not null then u.transformed
            when t.match_field = 'number_dst_original' and u.number_dst_original is not null then u.original
            else u.dst
        end as number
    from usage as u
    join parties as p on p.partner_sid = u.owner_sid
    left join choices as c
        on c.side = p.side and c.payer_sid = p.payer_sid and p.verdict is null
        and c.direction = u.direction and c.family = u.family
        and u.start_ms >= c.from_ms and u.start_ms < c.to_ms
    left join plans as t on t.plan_key = c.plan_key
),

-- The rows of the plans as integers. Times without an end reach further than any call.
deck as materialized (
    select
        row_number() over () as rate_id,
        p.plan_key, coalesce(r.prefix, '') as prefix, r.country_code, r.status,
        r.increment_ms, r.minimum_ms, r.grace_ms, r.unit_ms, r.price, r.connect_fee,
        (r.price * 1000000000000)::hugeint as price_e12,
        (r.connect_fee * 1000000000000)::hugeint as connect_fee_e12,
        coalesce(epoch_ms(r.effective_from), -999999999999999) as from_ms,
        coalesce(epoch_ms(r.effective_to), 999999999999999) as to_ms
    from rate.rates as r
    join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
),

-- The longest prefix in force, once per number dialled: for each instant at which a candidate begins or ends.
lengths as (
    select distinct plan_key, length(prefix) as length from deck
),

dialled as (
    select distinct plan_key, number from due where plan_key is not null and number is not null
),

candidates as materialized (
    select d.plan_key, d.number, l.length, r.rate_id, r.from_ms, r.to_ms
    from dialled as d
    join lengths as l on l.plan_key = d.plan_key and l.length <= length(d.number)
    join deck as r on r.plan_key = d.plan_key and r.prefix = left(d.number, l.length)
),

instants as (
    select plan_key, number, from_ms from candidates
    union
    select plan_key, number, to_ms from candidates where to_ms < 999999999999999
),

winners as (
    select
        i.plan_key, i.number, i.from_ms,
        arg_max(c.rate_id, c.length) filter (where c.from_ms <= i.from_ms and i.from_ms < c.to_ms) as rate_id
    from instants as i
    join candidates as c on c.plan_key = i.plan_key and c.number = i.number
    group by i.plan_key, i.number, i.from_ms
),

destinations as (
    select
        *,
        lead(from_ms, 1, 999999999999999) over (partition by plan_key, number order by from_ms) as to_ms
    from winners
),

matched as (
    select
        n.*,
        r.rate_id, r.prefix, r.country_code, r.status as rate_status, r.price as rate_price, r.connect_fee,
        r.price_e12, r.connect_fee_e12, r.increment_ms, r.minimum_ms, r.grace_ms, r.unit_ms,
        case when not n.answer_missing then n.counted_ms end as base_ms,
        least(greatest(n.counted_ms, 0), 86400000) as bounded_ms
    from due as n
    left join destinations as d
        on d.plan_key = n.plan_key and d.number = n.number
        and n.start_ms >= d.from_ms and n.start_ms < d.to_ms
    left join deck as r on r.rate_id = d.rate_id
),

-- The first rule that applies decides. 'rated' stands for none of them.
decided as (
    select
        *,
        case
            when verdict = 'own_use' then 'own_use'
            when start_ms is null then 'no_start'
            when answer_missing or base_ms is null then 'answer_missing'
            when base_ms < 0 then 'negative_duration'
            when base_ms > 86400000 then 'too_long'
            when base_ms = 0 then 'not_answered'
            when direction is null or direction not in ('inbound', 'outbound') then 'direction'
            when verdict is not null then verdict
            when plan_key is null then coalesce(missing, 'no_plan')
            when number is null then 'no_number'
            when rate_id is null then 'no_rate'
            when rate_status = 'blocked' or rate_price is null then 'blocked'
            when base_ms <= grace_ms then 'grace'
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
        connect_fee_e12 * unit_ms + price_e12 * billed_ms as signed_share,
        abs(connect_fee_e12 * unit_ms + price_e12 * billed_ms) as share,
        unit_ms::hugeint * quantum as whole
    from decided
),

rounded as (
    select
        *,
        share // whole + case
            when rounding_mode = 'half_up' and share % whole * 2 >= whole then 1
            when rounding_mode = 'up' and share % whole > 0 then 1
            when rounding_mode = 'half_even' and share % whole * 2 > whole then 1
            when rounding_mode = 'half_even' and share % whole * 2 = whole and share // whole % 2 = 1 then 1
            else 0
        end as steps
    from shares
),

-- From rounding steps to 1e-10; what the column cannot hold is no charge but a broken deck.
priced as (
    select
        *,
        sign(signed_share) * steps * (quantum // 100) as amount_e10,
        case
            when ruling = 'rated' and steps * (quantum // 100) >= 100000000000000000000 then 'out_of_range'
            else ruling
        end as reason
    from rounded
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
    source,
    dr_sid,
    revision,
    side,
    level,
    payer_sid,
    payee_sid,
    partner_sid,
    'call' as service,
    direction,
    family,
    case
        when family <> 'pstn' then 'bridge'
        when length(number) = 11
            and left(number, 2) = '18'
            and substr(number, 3, 2) in ('00', '33', '44', '55', '66', '77', '88') then 'toll_free'
        else 'toll'
    end as item_type,
    country_code,
    number as matched_number,
    date_start,
    date_stop,
    rating_status,
    case when reason <> 'rated' then reason end as unrated_reason,
    plan_sid,
    plan_version,
    prefix as matched_prefix,
    rate_price,
    connect_fee,
    currency,
    case rating_status
        when 'rated' then (amount_e10::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
        when 'not_billable' then 0::decimal(20, 10)
    end as amount,
    case when side = 'cost' then provider_price end as provider_price,
    (base_ms::decimal(15, 0) * 0.001::decimal(3, 3))::decimal(18, 3) as base_seconds,
    (unit_ms::decimal(15, 0) * 0.001::decimal(3, 3))::decimal(18, 3) as unit_seconds,
    case rating_status
        when 'rated' then (billed_ms::decimal(15, 0) * 0.001::decimal(3, 3))::decimal(18, 3)
        when 'not_billable' then 0::decimal(18, 3)
    end as billed_seconds,
    case when side = 'cost' then duration_billing end as provider_billed_seconds
from concluded
