-- purpose: what each of our phone numbers is used for, and which ones cost rent and lie idle
-- grain:   one row per phone number (DID)
-- reads:   land.dids, land.partners, measure.number_days
-- idle: no record within the 30 days up to the newest day that is rolled up. Rent is the provider's monthly price.
with newest as (
    select max(day) as newest_day from measure.number_days
),

used as (
    select
        ltrim(number, '+') as number,
        max(day) as last_used,
        coalesce(sum(records) filter (day > newest_day - 30), 0)::bigint as records_30_days,
        coalesce(sum(records) filter (day > newest_day - 30 and direction = 'inbound'), 0)::bigint as inbound_30_days,
        coalesce(sum(records) filter (day > newest_day - 30 and direction = 'outbound'), 0)::bigint as outbound_30_days
    from measure.number_days
    cross join newest
    group by all
)

select
    dids.did_sid, dids.phonenumber, dids.partner_sid, partners.company_name, dids.country_code, dids.price as rent,
    used.last_used,
    coalesce(used.inbound_30_days, 0) as inbound_30_days,
    coalesce(used.outbound_30_days, 0) as outbound_30_days,
    coalesce(used.records_30_days, 0) = 0 as idle
from land.dids as dids
left join used on used.number = dids.phonenumber
left join land.partners as partners on partners.partner_sid = dids.partner_sid
order by idle desc, rent desc, phonenumber
