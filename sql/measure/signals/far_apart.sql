-- purpose: one number of a customer in use at the same time from two places, one of them new
-- grain:   one row per partner and calling number; places are the calls of both places that overlap
-- reads:   calls, past_ranges, past_days
-- Raised where at least far_apart_calls calls from a network that no day of the history has (the first half of an IPv4
-- address) were up together with a call of the same number from another network.
with fresh as (
    select place, partner, near, net, talk_ms, stop_ms, days
    from calls join past_days using (partner)
    where is_out and net <> '' and talk_ms is not null and days >= $history_least
        and (partner, net) not in (select (partner, subject) from past_ranges where what = 'network')
),

pairs as (
    select fresh.partner, fresh.near, fresh.net, fresh.place as new_place, calls.place as other_place, calls.net as other
    from fresh
    join calls on calls.partner = fresh.partner and calls.near = fresh.near and calls.is_out
        and calls.talk_ms < fresh.stop_ms and calls.stop_ms > fresh.talk_ms and calls.net <> fresh.net
        and calls.net <> ''
)

select
    partner, near::varchar as subject, count(distinct new_place) as measured, $far_apart_calls as threshold,
    'calls' as unit,
    format(
        '{} calls from {} by {}.x.x, which is new, while it was in use from {}.x.x', count(distinct new_place), near,
        min(net), min(other)
    ) as reason,
    list_sort(list_distinct(list(new_place) || list(other_place))) as places
from pairs
group by partner, near
having count(distinct new_place) >= $far_apart_calls
