-- purpose: the numbers of ours that call the most
-- grain:   one row per number and partner, of outbound calls
-- reads:   measure.number_days, land.partners
with counted as (
    select
        number, partner_sid,
        sum(records)::bigint as calls,
        sum(answered)::bigint as answered,
        sum(talk_ms)::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds
    from measure.number_days
    where service = 'call' and direction = 'outbound' and day >= $first and day < $after
    group by number, partner_sid
    order by calls desc, number, partner_sid
    limit 25
)

select number, partners.company_name, partner_sid, calls, answered, talk_seconds
from counted
left join land.partners as partners using (partner_sid)
order by calls desc, number, partner_sid
