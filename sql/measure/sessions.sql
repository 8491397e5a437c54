-- purpose: session ratios of SIP: how many calls are established, and for how many the network did its part
-- grain:   one row per UTC day, direction and partner
-- reads:   measure.cause_days
-- RFC 6076, 4.6: SER  = 200 / (all - 3xx)
--          4.7: SEER = (200, 480, 486, 600, 603) / (all - 3xx, 401, 402, 407)
-- A record's SIP code is the one that ended the call, so an answered call counts as 200 whatever came after. ASR and NER
-- (ITU-T E.425) are in measure.quality.
with counted as (
    select
        day, direction, partner_sid,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as established,
        coalesce(sum(calls - answered) filter (sipcause in (480, 486, 600, 603)), 0)::bigint as reached,
        coalesce(sum(calls - answered) filter (sipcause between 300 and 399), 0)::bigint as redirected,
        coalesce(sum(calls - answered) filter (sipcause in (401, 402, 407)), 0)::bigint as challenged
    from measure.cause_days
    group by day, direction, partner_sid
),

bases as (
    select
        *,
        nullif(2 * (calls - redirected), 0) as ser_base,
        nullif(2 * (calls - redirected - challenged), 0) as seer_base
    from counted
)

select
    day, direction, partner_sid, calls, established, redirected,
    ((established * 2000 + ser_base // 2) // ser_base)::decimal(18, 0) * 0.1::decimal(2, 1) as ser_percent,
    (((established + reached) * 2000 + seer_base // 2) // seer_base)::decimal(18, 0) * 0.1::decimal(2, 1) as seer_percent
from bases
order by day, direction, partner_sid
