-- rate.costs: what the provider charges us for usage, as its invoices add it up.
--
-- Grain:  one row per record.
-- Reads:  rate.calls, rate.messages
-- usage is the seconds that the provider billed, ours where it does not say, or messages. Reports read the same from
-- measure.money_days, a row for all records of a day and kind.
select service, payer_sid, item_type, direction, country_code, date_stop, 1 as records,
    coalesce(provider_billed_seconds, billed_seconds)::decimal(18, 3) as usage, provider_price, amount
from rate.calls
where side = 'cost'
union all
select service, payer_sid, item_type, direction, country_code, date_stop, 1, billed_units::decimal(18, 3), provider_price,
    amount
from rate.messages
where side = 'cost'
