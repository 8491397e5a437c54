-- rate.charge_differences: where the provider's charge is not what its own plan says.
--
-- Grain:  one row per record.
-- Reads:  rate.calls, rate.messages, rate.rates
-- difference is what the provider charged too much; likely is a guess at why:
--   unrated: REASON   we cannot say what it should cost, and it was charged
--   not_billable      it should have been free
--   not_charged       it has no price at all
--   increment         another number of seconds was billed
--   unit              the charge fits the price being per 60 s, or per minimum, whichever we did not take
--   price             none of these: a wrong charge
with costs as (
    select
        * exclude (base_seconds, unit_seconds),
        (unit_seconds * 1000)::bigint as unit_ms
    from rate.calls
    where side = 'cost'
    union all by name
    select * exclude (billed_units)
    from rate.messages
    where side = 'cost'
),

differing as (
    select *
    from costs
    where coalesce(provider_price, -1) <> coalesce(amount, 0)
        and (rating_status = 'rated' or provider_price <> 0)
),

readings as (
    select
        d.*,
        (d.rate_price * 1000000000000)::hugeint * (d.billed_seconds * 1000)::bigint as price_ms,
        (d.provider_price * 1000000000000)::hugeint as charge_e12,
        case when d.unit_ms = 60000 then r.minimum_ms else 60000 end as other_unit_ms
    from differing as d
    left join rate.rates as r
        on d.service = 'call' and r.plan_sid = d.plan_sid and r.plan_version = d.plan_version
        and r.prefix = d.matched_prefix
)

select
    source, dr_sid, service, direction, family, partner_sid, date_start, date_stop, matched_number,
    plan_sid, plan_version, matched_prefix, rate_price, rating_status, unrated_reason,
    billed_seconds, provider_billed_seconds, amount, provider_price, currency,
    coalesce(provider_price, 0) - coalesce(amount, 0) as difference,
    case
        when rating_status = 'unrated' then 'unrated: ' || unrated_reason
        when rating_status = 'not_billable' then 'not_billable'
        when provider_price is null then 'not_charged'
        when provider_billed_seconds <> billed_seconds then 'increment'
        when abs(charge_e12 * other_unit_ms - price_ms) * 1000 <= abs(price_ms) then 'unit'
        else 'price'
    end as likely
from readings
