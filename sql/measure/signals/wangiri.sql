-- purpose: many short calls between a customer and one range within an hour (Wangiri, "one ring and cut")
-- grain:   one row per partner, direction and block of ten thousand numbers; places are the short calls
-- reads:   calls, ranges
-- Raised where an hour has at least wangiri_calls short calls, four in five of all to the block, between at least half
-- as many different pairs of numbers: who redials one number is no Wangiri. FCC, One Ring Phone Scam.
with candidates as (
    select partner, is_out, head from ranges where short >= $wangiri_calls
),

rung as (
    select *, talk_ms is null or stop_ms - talk_ms <= $short_seconds * 1000 as is_short
    from calls join candidates using (partner, is_out, head)
),

raised as (
    select
        partner, is_out, head, hour,
        count(*) filter (is_short) as short,
        count(distinct (near, far)) filter (is_short) as pairs,
        list(place order by place) filter (is_short) as places
    from rung
    group by partner, is_out, head, hour
    having short >= $wangiri_calls and short * 5 >= count(*) * 4 and pairs * 2 >= $wangiri_calls
)

select
    partner, if(is_out, 'to ', 'from ') || head || 'xxxx' as subject,
    max(short) as measured, $wangiri_calls as threshold, 'calls' as unit,
    format(
        '{} short calls {} {}xxxx in the hour from {:02d}:00 UTC', max(short), if(is_out, 'to', 'from'), head,
        arg_max(hour, (short, -hour))
    ) as reason,
    flatten(list(places)) as places
from raised
group by partner, is_out, head
