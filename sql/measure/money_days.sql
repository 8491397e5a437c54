-- purpose: what traffic costs and brings in, and what of it has no price: what every question about money adds up
-- grain:   one row per UTC day, service, direction, family, kind of usage, country, partner, level, payer, currency,
--          status and reason
-- reads:   rate.calls, rate.messages
-- A cost belongs to the customer who pays us for the same traffic (customer_sid): by a partner's place in the tree that is
-- one for all its records of a day. Seconds are those of the rating: talk_seconds before increments, billed_seconds after.
-- answered is talk time present, as in measure.call_hours. Each call is here once for each that pays: count it on level 0,
-- or on level 1. The amount is at the price of the plan; bundles and tiers change it when it is invoiced (invoice.draws).
with calls as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time,
        direction, family, item_type, country_code, partner_sid, level, payer_sid, currency, rating_status, unrated_reason,
        count(*) as records,
        count(*) filter (base_seconds > 0) as answered,
        sum(base_seconds) as talk_seconds,
        sum(billed_seconds) as billed_seconds,
        sum(amount) as amount,
        sum(provider_price) as provider_price,
        sum(coalesce(provider_billed_seconds, billed_seconds)::decimal(18, 3)) filter (level = 0) as provider_seconds
    from rate.calls
    group by all
),

messages as (
    select
        epoch_ms(date_stop) // 86400000 as day_of_time,
        direction, family, item_type, country_code, partner_sid, level, payer_sid, currency, rating_status, unrated_reason,
        count(*) as records,
        sum(billed_units) as billed_units,
        sum(amount) as amount,
        sum(provider_price) as provider_price
    from rate.messages
    group by all
),

rated as (
    select 'call' as service, *, null as billed_units from calls
    union all by name
    select 'message' as service, *, null as provider_seconds from messages
),

customers as (
    select day_of_time, partner_sid, max(payer_sid) as customer_sid
    from rated
    where level = 1
    group by day_of_time, partner_sid
)

select
    date '1970-01-01' + r.day_of_time::integer as day,
    r.service, r.direction, r.family, r.item_type, r.country_code, r.partner_sid,
    case when r.level = 0 then c.customer_sid else r.payer_sid end as customer_sid,
    case when r.level = 0 then 'cost' else 'charge' end as side,
    r.level, r.payer_sid, r.currency, r.rating_status, r.unrated_reason, r.records, r.answered,
    coalesce(r.talk_seconds, 0)::decimal(18, 3) as talk_seconds,
    coalesce(r.billed_seconds, 0)::decimal(18, 3) as billed_seconds,
    r.billed_units::bigint as billed_units,
    coalesce(r.amount, 0)::decimal(20, 10) as amount,
    r.provider_price::decimal(24, 12) as provider_price,
    r.provider_seconds::decimal(18, 3) as provider_seconds
from rated as r
left join customers as c on c.day_of_time = r.day_of_time and c.partner_sid is not distinct from r.partner_sid
order by
    day, r.service, r.level, r.payer_sid, r.direction, r.family, r.item_type, r.country_code, r.partner_sid, r.currency,
    r.rating_status, r.unrated_reason
