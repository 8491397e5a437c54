-- purpose: where a customer calls, at which risk, and from which networks; later days are compared with it
-- grain:   one row per partner, what is looked at (country, risk, network) and its name
-- reads:   ranges, areas, calls
with summed as (
    select
        partner, country, risk, grouping(country) = 1 as is_risk,
        sum(calls) as calls, sum(answered) as answered, sum(talk_ms) // 1000 as seconds
    from ranges join areas using (area)
    where is_out
    group by grouping sets ((partner, country), (partner, risk))
)

select
    partner, if(is_risk, 'risk', 'country') as what, if(is_risk, risk, country) as subject,
    if(is_risk, answered, calls)::bigint as records, seconds::bigint as seconds
from summed
where country is not null or risk is not null
union all
select partner, 'network', net, count(*), 0
from calls
where is_out and net <> ''
group by all
