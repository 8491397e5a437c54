-- rate.costs from the roll-ups: of days in which no period of the provider's invoices begins or ends.
--
-- Grain:  one row per UTC day and kind of usage
-- Reads:  measure.money_days
select service, payer_sid, item_type, direction, country_code, day::timestamp at time zone 'UTC' as date_stop, records,
    case when service = 'call' then provider_seconds else billed_units end::decimal(18, 3) as usage,
    provider_price, case when rating_status <> 'unrated' then amount end as amount
from measure.money_days
where side = 'cost'
