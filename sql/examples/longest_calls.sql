-- purpose: the calls that cost customers most, with the row that priced them
-- grain:   one row per call
-- reads:   rate.calls, land.calls
select
    r.dr_sid, r.date_start, e164(l.number_dst) as number_dst, country_of(l.number_dst) as country, r.plan_sid,
    r.matched_prefix, r.rate_price, r.billed_seconds, r.amount, r.currency
from rate.calls as r
join land.calls as l using (source, dr_sid)
where r.side = 'charge' and r.amount is not null
order by r.amount desc, r.dr_sid
limit 20;
