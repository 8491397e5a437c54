-- purpose: how calls end, who hung up, and how callers were attested
-- grain:   one row per UTC day, direction, partner, SIP cause, originator of the disconnect, and STIR attestation, identity
--          and validation
-- reads:   land.calls
-- answered is talk time present, as in measure.call_hours. sipcause is the final SIP code (RFC 3261); stir_attest is A, B or
-- C (RFC 8588), stir_verstat the result of the validation, stir_identity whether there was an Identity header (RFC 8224).
with counted as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time,
        direction, partner_sid, sipcause, disconnect_originator, stir_attest, stir_identity, stir_verstat,
        count(*) as calls,
        count(*) filter (date_stop > date_talk) as answered
    from land.calls
    group by all
)

select date '1970-01-01' + day_of_time::integer as day, * exclude (day_of_time)
from counted
order by day, direction, partner_sid, sipcause, disconnect_originator, stir_attest, stir_identity, stir_verstat
