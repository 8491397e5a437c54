-- invoice.standing: every charge row with the fate that rating gave it, calls and messages together.
--
-- Grain:  one row per record and payer; the charge side only.
-- Reads:  rate.calls, rate.messages, rate.suspense
-- standing is null where nothing is in the way of a charge; else what rate.suspense says.
with charges as (
    select
        service, source, dr_sid, revision, partner_sid, level, payer_sid, payee_sid, date_stop, currency,
        rating_status, unrated_reason, amount, billed_seconds as usage
    from rate.calls
    where side = 'charge'
    union all by name
    select
        service, source, dr_sid, revision, partner_sid, level, payer_sid, payee_sid, date_stop, currency,
        rating_status, unrated_reason, amount, billed_units::decimal(18, 3) as usage
    from rate.messages
    where side = 'charge'
)

select c.*, s.standing
from charges as c
left join rate.suspense as s
    on s.source = c.source and s.dr_sid = c.dr_sid and s.payer_sid = c.payer_sid and s.payee_sid = c.payee_sid
