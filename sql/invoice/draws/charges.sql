-- invoice/draws, first step: the records that some invoices take, as far as there is anything to draw on.
--
-- Grain:  one row per record and payer, in call order.
-- Reads:  taken              what the invoices take
--         batch              invoice_sid: which of them are looked at now
--         periods            own, payer_sid, payee_sid, own_start, own_end: each period of each payer by a number
--         payers             payer_sid, payee_sid: who has bundles or tiers, or had
--         own_numbers        source, dr_sid, own_number: the payer's own number, where one matters
-- Integers from here on: milliseconds or thousandths of a unit, money in 1e-10 and prices in 1e-12.
select
    t.invoice_sid, p.own, t.service, t.source, t.dr_sid, t.revision, t.date_stop, t.direction, t.item_type,
    t.country_code, coalesce(t.matched_number, '') as number, coalesce(w.own_number, '') as own_number,
    (t.full_usage * 1000)::bigint as usage_ms,
    (t.full_amount * 10000000000)::hugeint as amount_e10,
    (coalesce(t.connect_fee, 0) * 1000000000000)::hugeint as fee_e12,
    (coalesce(t.rate_price, 0) * 1000000000000)::hugeint as price_e12,
    (coalesce(t.unit_seconds, 1) * 1000)::bigint as unit_ms,
    coalesce(t.rounding_mode, 'half_up') as rounding_mode,
    -- The rounding step of the plan, in 1e-12.
    rpad('1', 13 - coalesce(t.rounding_decimals, 10), '0')::bigint as quantum
from taken as t
join batch as b on b.invoice_sid = t.invoice_sid
join payers as x on x.payer_sid = t.payer_sid and x.payee_sid = t.payee_sid
join periods as p
    on p.payer_sid = t.payer_sid and p.payee_sid = t.payee_sid and p.own_start = t.own_start and p.own_end = t.own_end
left join own_numbers as w on w.source = t.source and w.dr_sid = t.dr_sid
order by t.date_stop, t.source, t.dr_sid, p.own
