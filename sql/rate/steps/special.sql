-- The calls whose rows ask for more than a number and a time: origin, jurisdiction, windows, steps, least and most.
--
-- Grain:  one row per row of special_calls, with the columns of rate/calls.
-- Reads:  special_calls  the rows of due.sql whose term_id is -1: they have a payer, a plan, a start and a number
--         deck           the rows of the plans at hand, plain ones too
--         terms          what these rows say: prices in 1e-12, times in milliseconds
--         window_pieces  plan_key, from_ms, to_ms, window_name: gapless time by plan, cut where another window begins
--         country_of, item_type_of, rounded, too_large, charged, seconds: see macros.sql
-- Rules:  pipeline/domain/rating.py and charging.py say the same for one call and are held to the same cases.
-- All arithmetic is on integers: milliseconds, and prices in 1e-12 of the currency.
with calls as materialized (
    select
        * exclude (prefix, term_id),
        row_number() over () as call_id,
        coalesce(digits(number_src), '') as origin,
        case when exact_ms between 1 and 86400000
            then case when billable_base = 'duration' then start_ms else talk_ms end end as began_ms,
        least(greatest(counted_ms, 0), 86400000) as bounded_ms
    from special_calls
),

-- The rows that fit: in force at the start, and of any wider origin or jurisdiction.
lengths as (
    select distinct plan_key, length(prefix) as length from deck
),

fitting as (
    select
        c.call_id, r.rate_id, r.window_name, r.steps,
        (l.length * 100 + length(r.origin_prefix)) * 2 + if(r.jurisdiction is null, 0, 1) as narrowness
    from calls as c
    join lengths as l on l.plan_key = c.plan_key and l.length <= length(c.number)
    join deck as r on r.plan_key = c.plan_key and r.prefix = left(c.number, l.length)
    where r.from_ms <= c.start_ms and c.start_ms < r.to_ms
        and starts_with(c.origin, r.origin_prefix)
        and (r.jurisdiction is null or r.jurisdiction = c.jurisdiction)
),

-- Of these the narrowest: the longest prefix, then the longest origin, then a stated jurisdiction. They differ by
-- their windows.
held as materialized (
    select call_id, rate_id, window_name, steps
    from fitting
    qualify narrowness = max(narrowness) over (partition by call_id)
),

rates as materialized (
    select r.* exclude (term_id), t.* exclude (term_id)
    from deck as r
    join terms as t on t.term_id = r.term_id
    where r.rate_id in (select rate_id from held)
),

held_calls as (
    select call_id, bool_or(window_name <> '') as timed, bool_or(steps <> '') as stepped
    from held
    group by call_id
),

-- The row in whose time the call begins gives all terms; where no time counts, the row for the rest of the day.
opened as (
    select
        c.*,
        h.call_id is not null as fits,
        coalesce(h.timed, false) as timed,
        coalesce(h.stepped, false) as stepped,
        h.timed and c.began_ms is not null as clocked,
        p.window_name
    from calls as c
    left join held_calls as h on h.call_id = c.call_id
    left join window_pieces as p
        on h.timed and p.plan_key = c.plan_key and p.from_ms <= c.began_ms and c.began_ms < p.to_ms
),

matched as materialized (
    select
        o.*,
        o.clocked and o.window_name is null as zone_unknown,
        r.rate_id is not null as found,
        r.prefix, r.country_code, r.status as rate_status, r.price as rate_price, r.connect_fee, r.connect_fee_e12,
        r.price_e12, r.increment_ms, r.minimum_ms, r.grace_ms, r.unit_ms,
        (r.min_charge * 1000000000000)::hugeint as least_e12,
        (r.max_charge * 1000000000000)::hugeint as most_e12,
        case
            when o.increment_rule = 'total'
                then greatest(r.minimum_ms, (o.bounded_ms + r.increment_ms - 1) // r.increment_ms * r.increment_ms)
            when o.bounded_ms <= r.minimum_ms then r.minimum_ms
            else r.minimum_ms
                + (o.bounded_ms - r.minimum_ms + r.increment_ms - 1) // r.increment_ms * r.increment_ms
        end as billed_ms,
        case when o.increment_rule = 'after_minimum' and r.minimum_ms > 0 then r.minimum_ms else r.increment_ms end
            as opening_ms
    from opened as o
    left join held as n on n.call_id = o.call_id and n.window_name <> '' and n.window_name = o.window_name
    left join held as e
        on e.call_id = o.call_id and e.window_name = '' and (not o.clocked or o.window_name is not null)
    left join rates as r on r.rate_id = coalesce(n.rate_id, e.rate_id)
),

-- The price of a row from one second of a call to another: its own, then that of each step.
stepped_rows as (
    select distinct rate_id, unnest(string_split(steps, ';')) as step from held where steps <> ''
),

price_starts as (
    select rate_id, 0 as from_ms, price_e12::hugeint as price_e12
    from rates
    union all
    select
        rate_id,
        (split_part(step, ':', 1)::decimal(18, 3) * 1000)::bigint,
        (split_part(step, ':', 2)::decimal(24, 12) * 1000000000000)::hugeint
    from stepped_rows
),

prices as materialized (
    select *, lead(from_ms, 1, 999999999999999) over (partition by rate_id order by from_ms) as to_ms
    from price_starts
),

-- Where the price may change inside a call: at the edges of windows and at steps.
cut as materialized (
    select call_id, plan_key, timed, began_ms, billed_ms, opening_ms, increment_ms
    from matched
    where found and began_ms is not null and (timed or stepped)
),

edges as (
    select call_id, 0 as edge_ms from cut
    union
    select c.call_id, p.from_ms - c.began_ms
    from cut as c
    join window_pieces as p on p.plan_key = c.plan_key and p.from_ms > c.began_ms and p.from_ms < c.began_ms + c.billed_ms
    where c.timed
    union
    select c.call_id, s.from_ms
    from cut as c
    join held as h on h.call_id = c.call_id
    join prices as s on s.rate_id = h.rate_id and s.from_ms < c.billed_ms
),

-- An edge takes hold with the first increment that begins no earlier.
starts as (
    select
        c.*,
        e.edge_ms,
        least(c.billed_ms, case
            when e.edge_ms = 0 then 0
            when e.edge_ms <= c.opening_ms then c.opening_ms
            else c.opening_ms
                + (e.edge_ms - c.opening_ms + c.increment_ms - 1) // c.increment_ms * c.increment_ms
        end) as begin_ms
    from edges as e
    join cut as c on c.call_id = e.call_id
),

parts as (
    select *, lead(begin_ms, 1, billed_ms) over (partition by call_id order by edge_ms) - begin_ms as length_ms
    from starts
),

priced_parts as (
    select a.call_id, a.length_ms, r.rate_id, r.unit_ms, r.status, s.price_e12
    from (select * from parts where length_ms > 0) as a
    left join window_pieces as p
        on a.timed and p.plan_key = a.plan_key
        and p.from_ms <= a.began_ms + a.edge_ms and a.began_ms + a.edge_ms < p.to_ms
    left join held as n on n.call_id = a.call_id and n.window_name <> '' and n.window_name = p.window_name
    left join held as e on e.call_id = a.call_id and e.window_name = ''
    left join rates as r on r.rate_id = coalesce(n.rate_id, e.rate_id)
    left join prices as s on s.rate_id = r.rate_id and s.from_ms <= a.edge_ms and a.edge_ms < s.to_ms
),

sums as materialized (
    select
        call_id,
        sum(price_e12 * length_ms) as price_ms,
        bool_or(rate_id is null) as unheld,
        bool_or(rate_id is not null and (status = 'blocked' or price_e12 is null)) as blocked,
        min(unit_ms) < max(unit_ms) as mixed
    from priced_parts
    group by call_id
),

-- The first rule that applies decides. 'rated' stands for none of them.
decided as (
    select
        m.*,
        coalesce(s.price_ms, m.price_e12::hugeint * m.billed_ms) as price_ms,
        case when not m.answer_missing then m.counted_ms end as base_ms,
        case
            when m.answer_missing or m.exact_ms is null then 'answer_missing'
            when m.exact_ms < 0 then 'negative_duration'
            when m.exact_ms > 86400000 then 'too_long'
            when m.exact_ms = 0 then 'not_answered'
            when not m.fits then 'no_rate'
            when m.zone_unknown then 'time_zone'
            when not m.found then 'no_window'
            when m.rate_status = 'blocked' or m.rate_price is null then 'blocked'
            when m.counted_ms <= m.grace_ms then 'grace'
            when s.unheld then 'no_window'
            when s.blocked then 'blocked'
            when s.mixed then 'mixed_units'
            else 'rated'
        end as ruling
    from matched as m
    left join sums as s on s.call_id = m.call_id
),

-- connect_fee + price * billed / unit within its limits, as a fraction of whole rounding steps: steps = share // whole.
shares as (
    select
        *,
        least(greatest(connect_fee_e12::hugeint * unit_ms + price_ms, least_e12 * unit_ms), most_e12 * unit_ms)
            as signed_share,
        abs(signed_share) as share,
        unit_ms::hugeint * quantum as whole
    from decided
),

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
            when reason in ('not_answered', 'grace') then 'not_billable'
            else 'unrated'
        end as rating_status
    from priced
)

select
    source, dr_sid, revision, side, level, payer_sid, payee_sid, partner_sid,
    'call' as service,
    direction,
    family,
    item_type_of(family, number) as item_type,
    coalesce(country_code, country_of(number)) as country_code,
    number as matched_number,
    jurisdiction,
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
    charged(rating_status, amount_e10) as amount,
    case when side = 'cost' then price end as provider_price,
    seconds(base_ms) as base_seconds,
    seconds(unit_ms) as unit_seconds,
    case rating_status when 'rated' then seconds(billed_ms) when 'not_billable' then 0 end as billed_seconds,
    case when side = 'cost' then duration_billing end as provider_billed_seconds
from concluded
