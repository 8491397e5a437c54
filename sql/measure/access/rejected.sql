-- purpose: past calls that an access rule would have rejected, what they cost and brought, and what it would have spoilt
-- grain:   one row per partner and currency; the counts are the partner's, in each of its rows
-- reads:   land.calls, rate.calls, land.partners, measure.signal_records, measure.signals
-- A rule looks at the digits of the number called (to) or shown (from) and applies where any, all or none of its entries
-- fit: exact, prefix or regexp. It rejects what it applies to, or with others what it does not apply to.
-- Calls behind a signal are what it is for; calls of partners who raised no signal in that time would have been spoilt.
with numbers as (
    select
        source, dr_sid, partner_sid, date_talk, date_stop,
        ltrim(if($field = 'from', number_src, number_dst), '+') as digits
    from land.calls
    where date_stop >= $since and date_stop < $until
        and ($direction = 'any' or direction = $direction)
        and (len($partners::varchar[]) = 0 or list_contains($partners::varchar[], partner_sid))
        and (
            len($groups::varchar[]) = 0
            or list_has_any($groups::varchar[], [trunk_group_sid_src, trunk_group_sid_dst])
        )
),

fits as (
    select
        *,
        len(list_filter($entries::varchar[], lambda entry: case $operation
            when 'exact' then digits = entry
            when 'prefix' then starts_with(digits, entry)
            else regexp_matches(digits, entry)
        end)) as hits
    from numbers
),

rejected as (
    select * from fits
    where (case $quantifier when 'any' then hits > 0 when 'all' then hits = len($entries::varchar[]) else hits = 0 end)
        <> $others
),

money as (
    select
        source, dr_sid, currency,
        sum(amount) filter (level = 0) as cost,
        sum(amount) filter (level = 1) as revenue
    from rate.calls
    where date_stop >= $since and date_stop < $until and level <= 1 and rating_status = 'rated'
    group by all
),

behind as (
    select distinct source, dr_sid, true as is_behind from measure.signal_records where service = 'call'
),

signalled as (
    select distinct partner_sid, true as has_signals
    from measure.signals
    where window_end >= $since and window_start < $until
),

counted as (
    select
        partner_sid,
        count(*) as calls,
        count(date_talk) as answered,
        count(is_behind) as behind_signals,
        coalesce(bool_or(has_signals), false) as has_signals
    from rejected
    left join behind using (source, dr_sid)
    left join signalled using (partner_sid)
    group by partner_sid
),

summed as (
    select partner_sid, currency, sum(cost) as cost, sum(revenue) as revenue
    from rejected join money using (source, dr_sid)
    group by partner_sid, currency
)

select
    partner_sid, coalesce(company_name, partner_sid) as company_name, calls, answered, behind_signals, has_signals,
    currency, coalesce(cost, 0)::decimal(38, 10) as cost, coalesce(revenue, 0)::decimal(38, 10) as revenue
from counted
left join summed using (partner_sid)
left join land.partners using (partner_sid)
order by calls desc, partner_sid, currency
