-- purpose: callers who show a number that is not theirs, as STIR tells
-- grain:   one row per partner and direction; places are the calls
-- reads:   calls, owned
-- Raised by at least spoofed_calls calls: outbound from a number of nobody here that the validation refuted
-- (TN-Validation-Failed), inbound from one of our own numbers that came from outside refuted or attested as B or C.
-- ATIS-1000074 and RFC 8224; nothing is raised while no numbers have landed.
with suspects as (
    select place, partner, is_out, if(is_out, near, far) as shown
    from calls
    where is_refuted or (is_weak and not is_out)
),

spoofed as (
    select s.*
    from suspects as s
    where (shown in (select number from owned)) <> is_out and exists (from owned)
)

select
    partner, if(is_out, 'by the customer', 'of our numbers') as subject, count(*) as measured,
    $spoofed_calls as threshold, 'calls' as unit,
    if(
        is_out,
        format('{} calls from {} numbers of nobody here, which STIR refuted', count(*), count(distinct shown)),
        format('{} calls from outside that show {} of our own numbers', count(*), count(distinct shown))
    ) as reason,
    list(place order by place) as places
from spoofed
group by partner, is_out
having count(*) >= $spoofed_calls
