-- purpose: who vouches for callers: STIR attestation and validation
-- grain:   one row per direction, attestation and validation result
-- reads:   measure.stir
select
    direction,
    coalesce(stir_attest, 'none') as attestation,
    coalesce(stir_verstat, 'none') as validation,
    sum(calls)::bigint as calls,
    sum(answered)::bigint as answered
from measure.stir
where day >= $first and day < $after
group by all
order by direction, calls desc, attestation, validation
