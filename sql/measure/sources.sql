-- purpose: the numbers of ours that call and write the most
-- grain:   one row per month, service, partner and number, of outbound traffic, the busiest first
-- reads:   measure.number_days, land.partners
select
    date_trunc('month', day)::date as month, service, partner_sid,
    any_value(partners.company_name) as company_name,
    number,
    sum(records)::bigint as records,
    sum(answered)::bigint as answered,
    sum(talk_ms)::decimal(18, 0) * 0.001::decimal(4, 3) as talk_seconds,
    sum(segments)::bigint as segments
from measure.number_days
left join land.partners as partners using (partner_sid)
where direction = 'outbound'
group by all
order by month desc, records desc, service, number, partner_sid
