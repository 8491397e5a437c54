-- purpose: where a customer calls, at which risk, and from which networks; later days are compared with it
-- grain:   one row per partner, what is looked at (country, risk, network) and its name
-- reads:   ranges, areas, calls
select partner, 'country' as what, country as subject, sum(calls)::bigint as records, (sum(talk_ms) // 1000)::bigint as seconds
from ranges join areas using (area) where is_out group by all
union all
select partner, 'risk', risk, sum(answered)::bigint, (sum(talk_ms) // 1000)::bigint
from ranges join areas using (area) where is_out and risk is not null group by all
union all
select partner, 'network', net, count(*), 0
from calls where is_out and net <> '' group by all
