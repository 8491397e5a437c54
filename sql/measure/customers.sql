-- purpose: what each of our customers brings in and what its traffic costs us, the worst margin first
-- grain:   one row per customer that we charge (level 1) and currency
-- reads:   rate.calls, rate.messages, invoice.draws, land.partners
-- Revenue is at the price of the plan, less what bundles and tiers have taken off what is invoiced.
with records as (
    select source, dr_sid, service, level, payer_sid, currency, amount, billed_seconds, null::bigint as units
    from rate.calls where level <= 1
    union all
    select source, dr_sid, service, level, payer_sid, currency, amount, null, billed_units
    from rate.messages where level <= 1
),

drawn as (
    select source, dr_sid, payer_sid, sum(amount)::decimal(20, 10) as drawn
    from invoice.draws
    group by source, dr_sid, payer_sid
),

charged as (
    select records.* replace (amount + coalesce(drawn, 0) as amount)
    from records
    left join drawn using (source, dr_sid, payer_sid)
    where level = 1
),

costs as (
    select source, dr_sid, service, amount as cost from records where level = 0
),

final as (
    select
        charged.payer_sid as partner_sid,
        any_value(partners.company_name) as company_name,
        count(*) filter (charged.service = 'call') as calls,
        count(*) filter (charged.service = 'message') as messages,
        coalesce(sum(charged.billed_seconds), 0) as billed_seconds,
        coalesce(sum(charged.units), 0)::bigint as billed_units,
        charged.currency,
        coalesce(sum(charged.amount), 0) as revenue,
        coalesce(sum(costs.cost), 0) as cost,
        coalesce(sum(charged.amount), 0) - coalesce(sum(costs.cost), 0) as margin
    from charged
    inner join costs using (source, dr_sid, service)
    left join land.partners as partners on partners.partner_sid = charged.payer_sid
    where charged.currency is not null
    group by charged.payer_sid, charged.currency
)

select * from final
order by margin, partner_sid
