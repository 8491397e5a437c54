-- measure.statement_differences: every two figures of the statement that should be one and are not; empty when it
-- adds up.
--
-- Grain:  one row per difference.
-- Reads:  measure.statement, measure.landings, measure.claim_sums, invoice.invoices, invoice.items, invoice.taxes
-- The statement is made once, then compared with itself.
with statement as materialized (
    select * from measure.statement
),

fetched as (
    select resource as subject, fetched as expected, fresh + superseding + identical + quarantined as actual
    from measure.landings
),

landed as (
    select l.service as subject, f.records as expected, l.records as actual
    from statement as l
    join statement as f on f.service = l.service and f.section = 'fetched' and f.what = 'new'
    where l.section = 'landed'
),

rated as (
    select l.service || ' ' || s.side as subject, any_value(l.records) as expected,
        coalesce(sum(r.records), 0) as actual
    from statement as l
    cross join (select unnest(['cost', 'charge']) as side) as s
    left join statement as r on r.section = 'rated' and r.service = l.service and r.side = s.side
    where l.section = 'landed'
    group by l.service, s.side
),

charged as (
    select r.service || coalesce(' in ' || r.currency, '') as subject, r.records as expected_records,
        coalesce(c.records, 0) as actual_records, r.money as expected, coalesce(c.money, 0) as actual
    from (
        select service, currency, sum(records) as records, sum(money) as money
        from statement
        where section = 'rated' and side in ('charge', 'resold') and what = 'rated'
        group by all
    ) as r
    left join (
        select service, currency, sum(records) as records, sum(money) as money
        from statement
        where section = 'charged'
        group by all
    ) as c on c.service = r.service and c.currency is not distinct from r.currency
),

-- One claim, one line; one line, one invoice.
items as (
    select invoice_sid, sum(amount) as money, coalesce(sum(amount_exact) filter (type in ('toll', 'toll_free', 'bridge', 'sms', 'mms')), 0) as exact
    from invoice.items
    group by invoice_sid
),

taxes as (
    select invoice_sid, sum(amount) as money from invoice.taxes group by invoice_sid
),

invoices as (
    select coalesce(i.number, i.invoice_sid, c.invoice_sid) as subject, coalesce(c.money, 0) as claimed,
        coalesce(l.exact, 0) as exact, i.amount, coalesce(l.money, 0) as lines, i.amount_tax,
        coalesce(t.money, 0) as taxes
    from invoice.invoices as i
    full join measure.claim_sums as c on c.invoice_sid = i.invoice_sid
    left join items as l on l.invoice_sid = i.invoice_sid
    left join taxes as t on t.invoice_sid = i.invoice_sid
)

select 'fetched = new + superseding + identical + quarantined' as rule, subject, expected::varchar as expected,
    actual::varchar as actual
from fetched
where expected <> actual
union all
select 'new = landed', subject, expected::varchar, actual::varchar
from landed
where expected <> actual
union all
select 'landed = rated + unrated + not billable', subject, expected::varchar, actual::varchar
from rated
where expected <> actual
union all
select 'rated charges = claimed + waiting, in records', subject, expected_records::varchar, actual_records::varchar
from charged
where expected_records <> actual_records
union all
select 'rated charges = claimed + waiting, in money', subject, expected::varchar, actual::varchar
from charged
where expected <> actual
union all
select 'claims = lines before rounding', subject, claimed::varchar, exact::varchar
from invoices
where claimed <> exact
union all
select 'lines = amount of the invoice', subject, lines::varchar, coalesce(amount::varchar, 'no such invoice')
from invoices
where lines is distinct from amount
union all
select 'tax items = tax of the invoice', subject, taxes::varchar, amount_tax::varchar
from invoices
where taxes <> amount_tax
order by all
