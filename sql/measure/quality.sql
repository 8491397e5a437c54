-- purpose: the quality of calls: ASR, NER, ACD, the delay until answer, short calls
-- grain:   one row per UTC day, direction and partner
-- reads:   measure.call_hours
-- ASR (answer-seizure ratio) = answered / calls; NER (network effectiveness ratio) = effective / calls: ITU-T E.425.
-- ACD (average call duration) = talk seconds / answered calls. What is answered, effective and short, and why the delay is
-- the longest that the post-dial delay can have been, is said in measure.call_hours. ABR (answer bid ratio, E.425) is the
-- same as ASR here: records hold seizures, and no bids that failed before. Rounded half up to a tenth, on integers.
with counted as (
    select
        day, direction, partner_sid,
        sum(calls)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(effective)::bigint as effective,
        sum(short_calls)::bigint as short_calls,
        sum(talk_ms)::bigint as talk_ms,
        sum(setup_ms)::bigint as setup_ms
    from measure.call_hours
    group by day, direction, partner_sid
)

select
    day, direction, partner_sid, calls, answered, effective, short_calls,
    talk_ms::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds,
    ((answered * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as asr_percent,
    ((effective * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as ner_percent,
    ((talk_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as acd_seconds,
    ((setup_ms + 50 * answered) // nullif(100 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as answer_delay_seconds,
    ((short_calls * 2000 + answered) // nullif(2 * answered, 0))::decimal(18, 0) * 0.1::decimal(2, 1) as short_percent
from counted
order by day, direction, partner_sid
