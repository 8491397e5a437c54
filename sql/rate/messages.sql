-- rate/messages: every landed message, rated for everybody who pays for it.
--
-- Grain:  one row per message, side and payer.
-- Reads:  landed           land/messages of the days at hand
--         number_countries number, country_code: the country of every recipient's number
--         parties          partner_sid, side, level, payer_sid, payee_sid, verdict: who pays for whose messages
--         choices          side, payer_sid, direction, family, from_ms, to_ms, plan_key, missing: the plan by time,
--                          gapless; plan_key is null where there is none, and missing says why
--         plans            plan_key and the terms of each plan version; quantum is the rounding step in 1e-12
--         rate.rates       the rows of the plans
-- Rules:  pipeline/domain/rating.py says the same for one message and is held to the same cases.
-- All arithmetic is on integers: prices in 1e-12 of the currency, times segments and recipients.
with bared as (
    select
        *,
        coalesce(partner_sid, '') as owner_sid,
        translate(number_dst, '+ ().-', '') as bare_number,
        translate(number_billing, '+ ().-', '') as bare_own,
        epoch_ms(date_start) as start_ms
    from landed
),

digits as (
    select
        *,
        case when bare_number <> '' and ltrim(bare_number, '0123456789') = '' then bare_number end as number,
        case when bare_own <> '' and ltrim(bare_own, '0123456789') = '' then bare_own end as own_number,
        case when type = 'mms' then 1 else message_segments end as segments
    from bared
),

usage as (
    select
        d.*,
        n.country_code as number_country,
        case
            when length(d.own_number) <= 6 then 'short_code'
            when length(d.own_number) = 11 and left(d.own_number, 2) = '18'
                and substr(d.own_number, 3, 2) in ('00', '33', '44', '55', '66', '77', '88') then 'toll_free'
            else 'toll'
        end as family,
        case when d.segments >= 1 then d.segments::bigint * greatest(coalesce(d.recipients, 1), 1) end as all_units
    from digits as d
    left join number_countries as n on n.number = d.number
),

-- Who pays, and on which plan at the start.
due as materialized (
    select
        u.source, u.dr_sid, u.revision, p.side, p.level, p.payer_sid, p.payee_sid, p.verdict,
        u.partner_sid, u.direction, u.family, u.type, u.date_start, u.date_insert, u.start_ms, u.number,
        u.number_country, u.mcc, u.mnc, u.price as provider_price, lower(coalesce(u.status, '')) as message_status,
        case when u.all_units <= 1000000 then u.all_units end as units,
        c.plan_key, c.missing, t.plan_sid, t.plan_version, t.currency, t.rounding_mode, t.quantum, t.billable_statuses
    from usage as u
    join parties as p on p.partner_sid = u.owner_sid
    left join choices as c
        on c.side = p.side and c.payer_sid = p.payer_sid and p.verdict is null
        and c.direction = u.direction and c.family = u.family
        and u.start_ms >= c.from_ms and u.start_ms < c.to_ms
        -- The provider's plans price the provider's own messages; what another one charges nobody has told us.
        and (p.side <> 'cost' or u.source = 'carrierx')
    left join plans as t on t.plan_key = c.plan_key
),

-- The rows of the plans as integers; specificity: 4 network, 3 mobile country code, 2 country, 1 default.
deck as materialized (
    select
        row_number() over () as rate_id,
        p.plan_key, r.mcc, r.mnc, r.country_code, r.status, r.price,
        (r.price * 1000000000000)::hugeint as price_e12,
        case when r.mcc is null then case when r.country_code is null then 1 else 2 end
            when r.mnc is null then 3 else 4 end as specificity,
        coalesce(epoch_ms(r.effective_from), -999999999999999) as from_ms,
        coalesce(epoch_ms(r.effective_to), 999999999999999) as to_ms
    from rate.rates as r
    join plans as p on p.plan_sid = r.plan_sid and p.plan_version = r.plan_version
),

targets as materialized (
    select distinct plan_key, mcc, mnc, number_country from due where plan_key is not null
),

candidates as materialized (
    select t.*, r.specificity, r.rate_id, r.from_ms, r.to_ms
    from targets as t
    join deck as r on r.plan_key = t.plan_key and r.specificity >= 3
        and r.mcc = t.mcc and (r.mnc is null or r.mnc = t.mnc)
    union all
    select t.*, r.specificity, r.rate_id, r.from_ms, r.to_ms
    from targets as t
    join deck as r on r.plan_key = t.plan_key and r.specificity = 2 and r.country_code = t.number_country
    union all
    select t.*, r.specificity, r.rate_id, r.from_ms, r.to_ms
    from targets as t
    join deck as r on r.plan_key = t.plan_key and r.specificity = 1
),

-- The most specific row in force, for each instant at which a candidate begins or ends.
instants as (
    select plan_key, mcc, mnc, number_country, from_ms from candidates
    union
    select plan_key, mcc, mnc, number_country, to_ms from candidates where to_ms < 999999999999999
),

winners as (
    select
        i.plan_key, i.mcc, i.mnc, i.number_country, i.from_ms,
        arg_max(c.rate_id, c.specificity) filter (where c.from_ms <= i.from_ms and i.from_ms < c.to_ms) as rate_id
    from instants as i
    join candidates as c
        on c.plan_key = i.plan_key and c.mcc is not distinct from i.mcc and c.mnc is not distinct from i.mnc
        and c.number_country is not distinct from i.number_country
    group by i.plan_key, i.mcc, i.mnc, i.number_country, i.from_ms
),

destinations as (
    select
        *,
        lead(from_ms, 1, 999999999999999)
            over (partition by plan_key, mcc, mnc, number_country order by from_ms) as to_ms
    from winners
),

matched as (
    select d.*, r.rate_id, r.country_code, r.status as rate_status, r.price as rate_price, r.price_e12
    from due as d
    left join destinations as w
        on w.plan_key = d.plan_key and w.mcc is not distinct from d.mcc and w.mnc is not distinct from d.mnc
        and w.number_country is not distinct from d.number_country
        and d.start_ms >= w.from_ms and d.start_ms < w.to_ms
    left join deck as r on r.rate_id = w.rate_id
),

-- The first rule that applies decides. 'rated' stands for none of them.
decided as (
    select
        *,
        case
            when verdict = 'own_use' then 'own_use'
            when start_ms is null then 'no_start'
            when direction is null or direction not in ('inbound', 'outbound') then 'direction'
            when verdict is null and plan_key is null and missing = 'no_provider_plan'
                then case when coalesce(provider_price, 0) = 0 then 'no_provider_plan' else 'no_plan' end
            when plan_key is not null and not list_contains(string_split(billable_statuses, ','), message_status)
                then 'status'
            when verdict is not null then verdict
            when plan_key is null then coalesce(missing, 'no_plan')
            when rate_id is null and number is null and mcc is null then 'no_number'
            when rate_id is null then 'no_rate'
            when rate_status = 'blocked' or rate_price is null then 'blocked'
            when units is null then 'no_segments'
            else 'rated'
        end as ruling
    from matched
),

-- price * units as a number of whole rounding steps: steps = share // quantum.
shares as (
    select *, sign(price_e12) as sense, abs(price_e12) * units as share
    from decided
),

rounded as (
    select
        *,
        share // quantum + case
            when rounding_mode = 'half_up' and share % quantum * 2 >= quantum then 1
            when rounding_mode = 'up' and share % quantum > 0 then 1
            when rounding_mode = 'half_even' and share % quantum * 2 > quantum then 1
            when rounding_mode = 'half_even' and share % quantum * 2 = quantum and share // quantum % 2 = 1 then 1
            else 0
        end as steps
    from shares
),

-- From rounding steps to 1e-10; what the column cannot hold is no charge but a broken deck.
priced as (
    select
        *,
        sense * steps * (quantum // 100) as amount_e10,
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
            when reason in ('own_use', 'status', 'no_provider_plan') then 'not_billable'
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
    'message' as service,
    direction,
    family,
    case when type = 'mms' then 'mms' else 'sms' end as item_type,
    coalesce(country_code, number_country) as country_code,
    number as matched_number,
    date_start,
    date_insert as date_stop,
    rating_status,
    case when reason <> 'rated' then reason end as unrated_reason,
    plan_sid,
    plan_version,
    case when rate_id is not null then '' end as matched_prefix,
    rate_price,
    case when rate_id is not null then 0::decimal(24, 12) end as connect_fee,
    currency,
    case rating_status
        when 'rated' then (amount_e10::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
        when 'not_billable' then 0::decimal(20, 10)
    end as amount,
    case when side = 'cost' then provider_price end as provider_price,
    case rating_status when 'rated' then units when 'not_billable' then 0 end as billed_units
from concluded
