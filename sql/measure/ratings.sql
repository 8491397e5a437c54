-- purpose: how records were rated, with what was decided about those that could not be
-- grain:   one row per service, side, status, reason, standing and currency
-- reads:   rate.calls, rate.messages, rate.suspense
-- columns:
--   side: cost, charge, or resold: what resellers below us charge
--   rating_status: rated, not_billable or unrated
--   unrated_reason: why there is no price, or why it is free
--   standing: accepted or written_off, of what could not be rated; null: nothing was decided
--   billed_seconds: of calls that are rated, after minimum and increments
--   amount: what the rated ones come to
with records as (
    select service, source, dr_sid, side, level, payer_sid, payee_sid, rating_status, unrated_reason, currency, amount,
        billed_seconds as seconds
    from rate.calls
    union all
    select service, source, dr_sid, side, level, payer_sid, payee_sid, rating_status, unrated_reason, currency, amount,
        null
    from rate.messages
)

select
    r.service, case when r.level > 1 then 'resold' else r.side end as side,
    r.rating_status, r.unrated_reason,
    case when r.rating_status = 'unrated' and s.standing <> 'open' then s.standing end as standing,
    count(*) as records,
    sum(r.seconds) filter (r.rating_status = 'rated')::decimal(38, 3) as billed_seconds,
    sum(r.amount) filter (r.rating_status = 'rated')::decimal(38, 10) as amount,
    case when r.rating_status = 'rated' then r.currency end as currency
from records as r
left join rate.suspense as s
    on r.side = 'charge' and s.source = r.source and s.dr_sid = r.dr_sid and s.payer_sid = r.payer_sid
    and s.payee_sid = r.payee_sid
group by all
