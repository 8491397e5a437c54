-- purpose: what each customer brings in and what its traffic costs us
-- grain:   one row per customer that we charge (level 1) and currency
-- reads:   measure.customers, measure.money_days
-- Traffic of our own has a cost and no revenue. Where a customer pays in another currency than we do, its cost is a row
-- of its own.
with own as (
    select distinct payer_sid as partner_sid
    from measure.money_days
    where level = 1 and unrated_reason = 'own_use' and day >= $first and day < $after
)

select
    customers.partner_sid, company_name, own.partner_sid is not null as own_use, currency, calls, answered, messages,
    talk_seconds, revenue, cost, margin
from measure.customers as customers
left join own using (partner_sid)
where month = $first
order by revenue desc, cost desc, customers.partner_sid, currency
