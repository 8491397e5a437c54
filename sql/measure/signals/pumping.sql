-- purpose: messages pumped into one range within an hour (artificially inflated traffic)
-- grain:   one row per partner and block of ten thousand numbers; places are the messages
-- reads:   texts
-- Raised where an hour has at least pumped_messages messages to the block, four in five of them to different numbers.
with candidates as (
    select partner, head from texts where head >= 1000 group by all having count(*) >= $pumped_messages
),

raised as (
    select partner, head, hour, count(*) as messages, list(place order by place) as places
    from texts join candidates using (partner, head)
    group by partner, head, hour
    having count(*) >= $pumped_messages and count(distinct far) * 5 >= count(*) * 4
)

select
    partner, head || 'xxxx' as subject, max(messages) as measured, $pumped_messages as threshold,
    'messages' as unit,
    format('{} messages to {}xxxx in the hour from {:02d}:00 UTC', max(messages), head, arg_max(hour, (messages, -hour))) as reason,
    flatten(list(places)) as places
from raised
group by partner, head
