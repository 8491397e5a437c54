-- purpose: who vouches for callers: STIR attestation, identity headers and their validation
-- grain:   one row per UTC day, direction, attestation, identity and validation result
-- reads:   measure.cause_days
-- Attestation A: the signer knows the caller and its right to the number; B: the caller only; C: neither (ATIS-1000074,
-- RFC 8588). No attestation: nobody signed.
select
    day, direction, stir_attest, stir_identity, stir_verstat,
    sum(calls)::bigint as calls,
    sum(answered)::bigint as answered,
    ((sum(calls) * 2000 + sum(sum(calls)) over of_day) // (2 * sum(sum(calls)) over of_day))::decimal(18, 0)
        * 0.1::decimal(2, 1) as share_percent
from measure.cause_days
group by day, direction, stir_attest, stir_identity, stir_verstat
window of_day as (partition by day, direction)
order by day, direction, calls desc, stir_attest, stir_identity, stir_verstat
