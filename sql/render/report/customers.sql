-- purpose: what each customer brings in and what its traffic costs us
-- grain:   one row per customer that we charge (level 1) and currency
-- reads:   rate.calls, rate.messages, invoice.draws, land.partners
-- As measure.customers, for one month. Traffic of our own has a cost and no revenue; a record without a plan has no
-- currency and is counted with the others.
with records as (
    select source, dr_sid, service, level, payer_sid, payee_sid, currency, amount, unrated_reason, base_seconds,
        base_seconds > 0 as is_answered
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

final as (
    select
        charged.payer_sid as partner_sid,
        any_value(partners.company_name) as company_name,
        bool_and(coalesce(charged.unrated_reason = 'own_use', false)) as own_use,
        coalesce(charged.currency, costs.currency, (select max(currency) from records), 'USD') as currency,
        count(*) filter (charged.service = 'call') as calls,
        count(*) filter (costs.is_answered) as answered,
        coalesce(sum(costs.base_seconds), 0)::decimal(38, 3) as talk_seconds,
        count(*) filter (charged.service = 'message') as messages,
        coalesce(sum(charged.amount), 0) + coalesce(sum(drawn.drawn), 0) as revenue,
        coalesce(sum(costs.amount), 0) as cost
    from (select * from records where level = 1 and service = 'call') as charged
    inner join costs using (source, dr_sid, service)
    left join drawn using (source, dr_sid, payer_sid, payee_sid)
    left join land.partners as partners on partners.partner_sid = charged.payer_sid
    group by all
)

select *, revenue - cost as margin
from final
order by revenue desc, cost desc, partner_sid
