-- purpose: calls to a country that the customer has not called before
-- grain:   one row per partner and country; places are the calls there
-- reads:   dialled, past_ranges, past_days, calls, ranges, areas
-- Raised where at least destination_calls calls go to a country that no day of the history has.
with today as (
    select partner, subject, records as measured
    from dialled
    where what = 'country' and records >= $destination_calls
),

raised as (
    select * from today join past_days using (partner)
    where days >= $history_least
        and (partner, subject) not in (select (partner, subject) from past_ranges where what = 'country')
)

select
    raised.partner, subject, measured, $destination_calls as threshold, 'calls' as unit,
    format('{} calls to {}, for the first time in {} days of traffic', measured, subject, days) as reason,
    list(place order by place) as places
from raised
join areas on areas.country = raised.subject
join ranges on ranges.partner = raised.partner and ranges.area = areas.area and ranges.is_out
join calls on calls.partner = ranges.partner and calls.head = ranges.head and calls.is_out
group by raised.partner, subject, measured, days
