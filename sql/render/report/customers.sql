-- purpose: what each customer brings in and what its traffic costs us
-- grain:   one row per customer that we charge (level 1) and currency
-- reads:   rate.calls, rate.messages, invoice.draws, land.partners
-- Traffic of our own has a cost and no revenue. Where a customer pays in another currency than we do, its cost is a row
-- of its own, as in measure.traffic; a record without a plan has no currency and is counted with the others.
with records as (
    select source, dr_sid, service, level, payer_sid, payee_sid, currency, amount, unrated_reason, base_seconds,
        base_seconds > 0 or unrated_reason = 'answer_missing' as is_answered
    from rate.calls
    where level <= 1 and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
    union all
    select source, dr_sid, service, level, payer_sid, payee_sid, currency, amount, unrated_reason, null, null
    from rate.messages
    where level <= 1 and date_stop >= $first::timestamptz and date_stop < $after::timestamptz
),

drawn as (
    select source, dr_sid, payer_sid, payee_sid, sum(amount) as drawn
    from invoice.draws
    group by all
),

costs as (
    select source, dr_sid, service, currency, amount, base_seconds, is_answered from records where level = 0
),

known as (
    select coalesce(max(currency), 'USD') as any_currency from records
),

pairs as (
    select
        charged.payer_sid, charged.service, costs.base_seconds, costs.is_answered,
        coalesce(charged.unrated_reason = 'own_use', false) as own_use,
        coalesce(charged.currency, costs.currency, any_currency) as currency,
        coalesce(costs.currency, charged.currency, any_currency) as cost_currency,
        coalesce(charged.amount, 0) + coalesce(drawn.drawn, 0) as revenue,
        coalesce(costs.amount, 0) as cost
    from (select * from records where level = 1) as charged
    left join costs using (source, dr_sid, service)
    left join drawn using (source, dr_sid, payer_sid, payee_sid)
    cross join known
),

sides as (
    select payer_sid, own_use, currency, service, base_seconds, is_answered, revenue, null as cost
    from pairs
    union all
    select payer_sid, own_use, cost_currency, null, null, null, null, cost
    from pairs
),

final as (
    select
        payer_sid as partner_sid,
        any_value(partners.company_name) as company_name,
        bool_and(own_use) as own_use,
        currency,
        count(*) filter (service = 'call') as calls,
        count(*) filter (is_answered) as answered,
        coalesce(sum(base_seconds), 0)::decimal(38, 3) as talk_seconds,
        count(*) filter (service = 'message') as messages,
        coalesce(sum(revenue), 0) as revenue,
        coalesce(sum(cost), 0) as cost
    from sides
    left join land.partners as partners on partners.partner_sid = payer_sid
    group by payer_sid, currency
)

select *, revenue - cost as margin
from final
order by revenue desc, cost desc, partner_sid, currency
