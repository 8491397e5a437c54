-- purpose: the numbers of ours that call the most
-- grain:   one row per number and partner, of outbound calls
-- reads:   measure.sources
select number, company_name, partner_sid, records as calls, answered, talk_seconds
from measure.sources
where month = $first and service = 'call'
order by calls desc, number, partner_sid
limit 25
