-- purpose: far more calls at once than the customer is used to have
-- grain:   one row per partner; places are the calls that were up at the first moment of the peak
-- reads:   up, past_hours, past_days, calls
-- Raised where answered outbound calls at once > parallel_calls and > factor * the most of any day before.
with today as (
    select partner, max(up) as measured, arg_max(tick, (up, -tick)) * 60000 as at_ms from up group by partner
),

past as (
    select partner, max(peak) as usual from past_hours group by partner
),

raised as (
    select *, coalesce(usual, 0) as most, greatest($parallel_calls, $factor * most) as threshold
    from today left join past using (partner) join past_days using (partner)
    where measured > threshold and days >= $history_least
)

select
    partner, '' as subject, measured, threshold, 'calls' as unit,
    format(
        '{} calls at once at {} UTC; {} at most on a day before', measured,
        strftime(make_timestamp(at_ms * 1000), '%H:%M:%S'), most
    ) as reason,
    list(place order by place) as places
from raised join calls using (partner)
where is_out and talk_ms <= at_ms and stop_ms > at_ms
group by partner, measured, threshold, most, at_ms
