-- purpose: talk to premium-rate and high-risk numbers, beyond a floor and beyond what the customer is used to
-- grain:   one row per partner and kind of risk; places are the answered calls
-- reads:   dialled, past_ranges, calls, ranges, areas
-- Raised where premium_calls or more have seconds > premium_minutes * 60 and > factor * the most seconds of any day
-- before. It is how revenue share fraud looks; the ranges and their sources are in measure.risky_ranges.
with today as (
    select partner, subject, seconds as measured, records as answered from dialled where what = 'risk'
),

past as (
    select partner, subject, seconds as usual from past_ranges where what = 'risk'
),

raised as (
    select *, coalesce(usual, 0) as most, greatest($premium_minutes * 60, $factor * most) as threshold
    from today left join past using (partner, subject)
    where measured > threshold and answered >= $premium_calls
),

places as (
    select raised.partner, raised.subject, list(place order by place) as places
    from raised
    join areas on areas.risk = raised.subject
    join ranges on ranges.partner = raised.partner and ranges.area = areas.area and ranges.is_out
    join calls on calls.partner = ranges.partner and calls.head = ranges.head and calls.is_out
    where calls.talk_ms is not null
    group by all
)

select
    partner, subject, measured, threshold, 'seconds' as unit,
    format('{} calls and {} minutes to numbers of {}; {} minutes at most on a day before', answered, measured // 60, subject, most // 60)
        as reason,
    places
from raised join places using (partner, subject)
