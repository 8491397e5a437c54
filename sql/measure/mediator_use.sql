-- purpose: what came by each binding of the Mediator, such as a campaign
-- grain:   one row per month and binding; numbers that redirected without a binding that is known have none
-- reads:   measure.number_days, land.mediator_bindings_history
-- A binding is told by the number that redirects (redirect_did). It may be gone by now: the newest content that was seen of
-- each counts, and where several bindings share a number the calls are shown at the newest of them.
with bindings as (
    select *
    from land.mediator_bindings_history
    qualify row_number() over (
        partition by ltrim(redirect_did, '+') order by valid_from desc, date_created desc, binding_sid
    ) = 1
)

select
    date_trunc('month', used.day)::date as month, bindings.binding_sid, bindings.name,
    ltrim(used.number, '+') as redirect_did, bindings.destination_did,
    sum(used.records)::bigint as calls,
    sum(used.answered)::bigint as answered,
    sum(used.talk_ms)::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds
from measure.number_days as used
left join bindings on ltrim(bindings.redirect_did, '+') = ltrim(used.number, '+')
where used.type = 'mediator'
group by all
order by month desc, calls desc, redirect_did
