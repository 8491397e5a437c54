-- rate/messages: every landed message, rated for everybody who pays for it.
--
-- Grain:  one row per message, side and payer.
-- Reads:  landed     land/messages of the days at hand
--         routes     partner_sid, home, direction, family, epoch, payers: the payer_ids of a partner's messages, in order
--         payers     payer_id; who pays whom and on which plan with what terms, see steps/payers.sql
--         rows_held  plan_key, epoch, specificity, mcc, mnc, country_code, rate_id: steps/message_rows.sql
--         deck       the rows of the plans: steps/message_deck.sql
--         digits, epoch_of, country_of, rounded, too_large, charged: see steps/macros.sql
-- Rules:  pipeline/domain/rating.py says the same for one message and is held to the same cases.
-- All arithmetic is on integers: prices in 1e-12 of the currency, times segments and recipients.
-- Every join finds exactly one row, so that messages keep their order and need no sorting.
with messages as (
    select
        *,
        coalesce(partner_sid, '') as owner_sid,
        case when direction in ('inbound', 'outbound') then direction else '' end as known_direction,
        digits(number_dst) as number,
        digits(number_billing) as own_number,
        epoch_ms(date_start) as start_ms,
        case when type = 'mms' then 1 else message_segments end as segments
    from landed
),

usage as (
    select
        *,
        epoch_of(start_ms) as begun,
        country_of(number) as number_country,
        case
            when length(own_number) <= 6 then 'short_code'
            when length(own_number) = 11 and left(own_number, 2) = '18'
                and substr(own_number, 3, 2) in ('00', '33', '44', '55', '66', '77', '88') then 'toll_free'
            else 'toll'
        end as kind,
        case when segments >= 1 then segments::bigint * greatest(coalesce(recipients, 1), 1) end as all_units
    from messages
),

paid as (
    select u.*, unnest(r.payers) as payer_id
    from usage as u
    join routes as r
        on r.partner_sid = u.owner_sid and r.home = (u.source = 'carrierx') and r.direction = u.known_direction
        and r.family = u.kind and r.epoch = u.begun
),

-- Who pays, on which plan at the start, and the narrowest of its rows: that of the network, else of its country code,
-- else of the number's country, else the one for all.
by_network as (
    select
        d.source, d.dr_sid, d.revision, p.side, p.level, p.payer_sid, p.payee_sid, p.verdict,
        d.partner_sid, d.direction, d.kind as family, d.type, d.date_start, d.date_insert, d.start_ms, d.begun, d.number,
        d.mcc, d.price as provider_price, lower(coalesce(d.status, '')) as message_status,
        case when d.all_units <= 1000000 then d.all_units end as units,
        p.plan_key, p.missing, p.plan_sid, p.plan_version, p.currency, p.rounding_mode, p.quantum, p.billable_statuses,
        d.number_country,
        coalesce(n.rate_id, m.rate_id) as network_id
    from paid as d
    join payers as p on p.payer_id = d.payer_id
    left join rows_held as n
        on n.plan_key = p.plan_key and n.epoch = d.begun and n.specificity = 4 and n.mcc = d.mcc and n.mnc = d.mnc
    left join rows_held as m
        on m.plan_key = p.plan_key and m.epoch = d.begun and m.specificity = 3 and m.mcc = d.mcc
),

matched as (
    select d.*, r.rate_id, r.country_code, r.status as rate_status, r.price as rate_price, r.price_e12
    from by_network as d
    left join rows_held as c
        on c.plan_key = d.plan_key and c.epoch = d.begun and c.specificity = 2 and c.country_code = d.number_country
    left join rows_held as e on e.plan_key = d.plan_key and e.epoch = d.begun and e.specificity = 1
    left join deck as r on r.rate_id = coalesce(d.network_id, c.rate_id, e.rate_id)
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

-- From rounding steps to 1e-10; what the column cannot hold is no charge but a broken deck.
priced as (
    select
        * exclude (steps),
        sense * steps * (quantum // 100) as amount_e10,
        case when ruling = 'rated' and too_large(steps, quantum) then 'out_of_range' else ruling end as reason
    from (select *, rounded(share, quantum, rounding_mode) as steps from shares)
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
    charged(rating_status, amount_e10) as amount,
    case when side = 'cost' then provider_price end as provider_price,
    case rating_status when 'rated' then units when 'not_billable' then 0 end as billed_units
from concluded
