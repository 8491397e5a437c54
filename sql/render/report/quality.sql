-- purpose: the quality of each partner's calls
-- grain:   one row per partner, the busiest first
-- reads:   measure.call_hours, land.partners
-- As in measure.quality: ASR, NER and ACD of ITU-T E.425; the delay until answer is the longest that the post-dial delay
-- can have been; short calls are over within 6 seconds.
with counted as (
    select
        partner_sid,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(effective)::bigint as effective,
        sum(short_calls)::bigint as short_calls,
        sum(talk_ms)::bigint as talk_ms,
        sum(setup_ms)::bigint as setup_ms
    from measure.call_hours
    where day >= $first and day < $after
    group by partner_sid
)

select
    partner_sid, partners.company_name, calls, answered,
    ((answered * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    ((effective * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as ner_percent,
    ((talk_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as acd_seconds,
    ((setup_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as delay_seconds,
    ((short_calls * 2000 + answered) // nullif(2 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as short_percent
from counted
left join land.partners as partners using (partner_sid)
order by calls desc, partner_sid
limit 50
