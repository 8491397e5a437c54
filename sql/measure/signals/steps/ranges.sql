-- purpose: what calls add up to per block of ten thousand far numbers: most signals begin here
-- grain:   one row per partner, direction and block (the number without its last four digits)
-- reads:   calls
-- A call is short that was not answered, or ended within short_seconds of its answer.
with counted as (
    select
        partner,
        is_out,
        head,
        count(*) as calls,
        count(talk_ms) as answered,
        count(*) filter (talk_ms is null or stop_ms - talk_ms <= $short_seconds * 1000) as short,
        coalesce(sum(stop_ms - talk_ms), 0)::bigint as talk_ms
    from calls
    where head >= 1000
    group by all
)

select *, left(head::varchar, 6) as area from counted
