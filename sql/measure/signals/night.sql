-- purpose: more calls in the customer's night than it is used to make
-- grain:   one row per partner; places are the calls that ended in the night's hours
-- reads:   hours, past_hours, past_days, nights, calls
-- Raised where outbound calls > night_calls and > factor * the most of any night before. The night is night_from to
-- night_to where the customer is; nights has the UTC hours of it.
with today as (
    select partner, sum(records)::bigint as measured
    from hours join nights using (partner, hour)
    where service = 'call'
    group by partner
    having sum(records) > $night_calls
),

past as (
    select partner, max(records) as usual
    from (
        select day, partner, sum(records)::bigint as records
        from past_hours semi join today using (partner) join nights using (partner, hour)
        where service = 'call'
        group by all
    )
    group by partner
),

raised as (
    select *, coalesce(usual, 0) as most, greatest($night_calls, $factor * most) as threshold
    from today left join past using (partner) join past_days using (partner)
    where measured > threshold and days >= $history_least
)

select
    partner, '' as subject, measured, threshold, 'calls' as unit,
    format('{} calls at night where the customer is; {} at most in a night before', measured, most) as reason,
    list(place order by place) as places
from raised join calls using (partner) join nights using (partner, hour)
where is_out
group by partner, measured, threshold, most
