-- purpose: phone numbers that cost rent and lie idle
-- grain:   one row per customer with idle numbers
-- reads:   measure.did_use
-- Idle: no record within the 30 days up to the newest day that is rolled up.
select
    coalesce(company_name, partner_sid, 'nobody') as customer,
    count(*) as numbers,
    count(*) filter (idle) as idle,
    coalesce(sum(rent) filter (idle), 0) as idle_rent
from measure.did_use
group by all
having count(*) filter (idle) > 0
order by idle desc, customer
