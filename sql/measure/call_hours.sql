-- purpose: volume and quality of calls, hour by hour: what every question about ASR, NER, ACD and post-dial delay adds up
-- grain:   one row per hour of UTC in which calls ended, direction, partner, and trunk groups they came in and went out by
-- reads:   land.calls
-- answered:     talk time is present: the call ended after it was answered. Everywhere in tollbook, in these words.
-- effective:    answered, or the far end was reached: busy (486, 600), not answered or given up ringing (480, 487),
--               declined (603, 607); the numerator of the network effectiveness ratio, ITU-T E.425
-- short_calls:  answered and over within 6 seconds
-- setup_ms:     from start to answer, of answered calls; records hold no ringing, so this is the longest that the
--               post-dial delay can have been (session request delay, RFC 6076, 4.3.1)
-- Money is in measure.money_days. Nothing here is a ratio: ratios do not add up.
with calls as (
    select
        epoch_ms(date_stop) // 3600000 as hour_of_time,
        direction, partner_sid, trunk_group_sid_src, trunk_group_sid_dst, sipcause,
        epoch_ms(date_stop) - epoch_ms(date_talk) as talk_ms,
        epoch_ms(date_talk) - epoch_ms(date_start) as setup_ms
    from land.calls
),

counted as (
    select
        hour_of_time, direction, partner_sid, trunk_group_sid_src, trunk_group_sid_dst,
        count(*) as calls,
        count(*) filter (talk_ms > 0) as answered,
        count(*) filter (talk_ms > 0 or sipcause in (480, 486, 487, 600, 603, 607)) as effective,
        count(*) filter (talk_ms between 1 and 6000) as short_calls,
        coalesce(sum(talk_ms) filter (talk_ms > 0), 0)::bigint as talk_ms,
        coalesce(sum(setup_ms) filter (talk_ms > 0), 0)::bigint as setup_ms
    from calls
    group by all
)

select
    make_timestamp_ms(hour_of_time * 3600000)::date as day,
    make_timestamp_ms(hour_of_time * 3600000) at time zone 'UTC' as hour,
    * exclude (hour_of_time)
from counted
order by hour, direction, partner_sid, trunk_group_sid_src, trunk_group_sid_dst
