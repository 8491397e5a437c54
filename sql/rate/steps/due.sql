-- What is due to be rated: every landed call with who pays for it, on which plan, and by which of its rows.
--
-- Grain:  one row per call, side and payer; calls in the order in which they landed, then level and payer.
-- Reads:  landed    land/calls of the day at hand
--         families  endpoint_sid, family: of every endpoint that the day names; the empty one stands for none
--         routes    partner_sid, home, direction, family, epoch, payers: the payer_ids of a partner's calls, in order;
--                   home is whether the record is of the provider whose plans we have
--         payers    payer_id; who pays whom (side, level, payer_sid, payee_sid, verdict) and on which plan with what
--                   conditions; plan_key is null where there is none, and missing says why; quantum is the rounding step
--                   in 1e-12 of the currency
--         digits, epoch_of, rate_row, routed, jurisdiction_of: see macros.sql
-- Every join finds exactly one row, so that calls keep their order and need no sorting.
with calls as (
    select
        l.*,
        f.family,
        coalesce(l.partner_sid, '') as owner_sid,
        case when l.direction in ('inbound', 'outbound') then l.direction else '' end as known_direction,
        epoch_ms(l.date_start) as start_ms,
        epoch_ms(l.date_talk) as talk_ms,
        epoch_ms(l.date_stop) as stop_ms,
        l.date_talk is null and (coalesce(l.sipcause = 200, false) or coalesce(l.price > 0, false)) as answer_missing,
        digits(l.number_src) as src,
        digits(l.number_dst) as dst
    from landed as l
    join families as f
        on f.endpoint_sid = coalesce(case l.direction
            when 'inbound' then l.endpoint_sid_src
            when 'outbound' then l.endpoint_sid_dst
        end, '')
),

paid as (
    select c.*, unnest(r.payers) as payer_id
    from calls as c
    join routes as r
        on r.partner_sid = c.owner_sid and r.home = (c.source = 'carrierx') and r.direction = c.known_direction
        and r.family = c.family and r.epoch = epoch_of(c.start_ms)
),

planned as (
    select
        d.* exclude (payer_id),
        p.* exclude (payer_id),
        case
            when d.talk_ms is null then 0
            when p.billable_base = 'duration' then d.stop_ms - d.start_ms
            else d.stop_ms - d.talk_ms
        end as exact_ms,
        case
            when p.match_field = 'number_dst_transformed' and d.number_dst_transformed is not null
                then digits(d.number_dst_transformed)
            when p.match_field = 'number_dst_original' and d.number_dst_original is not null
                then digits(d.number_dst_original)
            else d.dst
        end as number
    from paid as d
    join payers as p on p.payer_id = d.payer_id
),

found as (
    select *, rate_row(plan_key, number, start_ms) as row from planned
)

select
    * exclude (row),
    -- Whole seconds first, where the plan says so.
    case
        when exact_ms > 0 and base_rounding = 'floor' then exact_ms // 1000 * 1000
        when exact_ms > 0 and base_rounding = 'round' then (exact_ms + 500) // 1000 * 1000
        else exact_ms
    end as counted_ms,
    jurisdiction_of(routed(src, start_ms), routed(dst, start_ms)) as jurisdiction,
    coalesce(row.term_id, 0) as term_id,
    case when row.term_id > 0 then left(number, row.prefix_length) end as prefix
from found
