-- rate.invoice_differences: each line of the provider's invoices against the records behind it.
--
-- Grain:  one row per line of an invoice of the provider.
-- Reads:  land.provider_invoices, rate.costs
-- A line of usage stands for the cost rows of its partner, type, direction and country that ended in its period.
-- records_amount is what those records carry as their price, expected what they should have cost by the provider's own
-- plans. So amount - expected = (amount - records_amount: the invoice against its records)
-- + (records_amount - expected: see rate.charge_differences).
--   agrees       to the cent, and in usage where the records tell it
--   usage        the amount agrees, the seconds or messages do not
--   amount       the amount does not
--   no records   nothing of that kind has landed for that period: it is before the first day pulled, or missing
--   not usage    rent, lookups, adjustments: no record stands behind it
with lines as (
    select
        i.invoice_sid, i.display_id, i.partner_sid, i.status, u.line_no,
        u.item ->> 'type' as type, u.item ->> 'direction' as direction, u.item ->> 'country_code' as country_code,
        coalesce(try_cast(u.item ->> 'date_billing_period_start' as timestamptz), i.date_billing_period_start) as first,
        coalesce(try_cast(u.item ->> 'date_billing_period_end' as timestamptz), i.date_billing_period_end) as last,
        try_cast(u.item ->> 'usage' as decimal(18, 3)) as usage,
        try_cast(u.item ->> 'amount' as decimal(24, 12)) as amount
    from land.provider_invoices as i,
        unnest(from_json(i.items_json, '["json"]')) with ordinality as u(item, line_no)
),

-- Ends are the last second of a period, as the provider writes them.
behind as (
    select
        l.invoice_sid, l.line_no, sum(c.records)::bigint as records, sum(c.usage)::decimal(38, 3) as records_usage,
        sum(c.provider_price)::decimal(38, 12) as records_amount, sum(c.amount)::decimal(38, 10) as expected
    from lines as l
    join rate.costs as c
        on c.payer_sid = l.partner_sid and c.item_type = l.type and c.direction = l.direction
        and (l.country_code is null or c.country_code = l.country_code)
        and c.date_stop >= l.first and c.date_stop < l.last + interval 1 second
    group by l.invoice_sid, l.line_no
)

select
    l.*, coalesce(b.records, 0) as records, b.records_usage, b.records_amount, b.expected,
    (l.amount - coalesce(b.records_amount, 0))::decimal(38, 12) as difference,
    case
        when l.type not in ('toll', 'toll_free', 'bridge', 'sms', 'mms') then 'not usage'
        when b.records is null then 'no records'
        when abs(l.amount - b.records_amount) > 0.01 then 'amount'
        when abs(l.usage - b.records_usage) >= 1 then 'usage'
        else 'agrees'
    end as verdict
from lines as l
left join behind as b on b.invoice_sid = l.invoice_sid and b.line_no = l.line_no
order by l.first, l.invoice_sid, l.line_no
