-- measure.statement: the statement that adds up, from what was fetched to what was invoiced.
--
-- Grain:  one row per line of the statement.
-- Reads:  measure.landings, land.calls, land.messages, rate.calls, rate.messages, rate.suspense,
--         measure.fates_by_day, invoice.claims, invoice.invoices, invoice.items, invoice.parts, invoice.taxes
-- seconds are billed seconds of calls. Money of records has ten decimals, money of lines and taxes two; the step
-- between them is a line of its own. Every branch casts money itself: DuckDB joins DECIMAL(38,10) and DECIMAL(38,2)
-- by dropping eight decimals. What must be equal to what is checked by measure.statement_differences.
with fetched as (
    select 1 as rank, resource, unnest([1, 2, 3, 4, 5]) as step,
        unnest(['fetched', 'new', 'superseding', 'identical', 'quarantined']) as what,
        unnest([fetched, fresh, superseding, identical, quarantined]) as records
    from measure.landings
),

landed as (
    select 'call' as service, count(*) as records from land.calls
    union all
    select 'message', count(*) from land.messages
),

records as (
    select service, source, dr_sid, side, level, payer_sid, payee_sid, rating_status, unrated_reason, currency, amount,
        billed_seconds as seconds
    from rate.calls
    union all
    select service, source, dr_sid, side, level, payer_sid, payee_sid, rating_status, unrated_reason, currency, amount,
        null
    from rate.messages
),

-- What could not be rated stays visible whatever was decided about it: it is open, accepted or written off.
rated as (
    select r.*,
        r.rating_status || case
            when r.rating_status <> 'unrated' then ''
            when s.standing = 'accepted' then ', accepted'
            when s.standing = 'written_off' then ', written off'
            else ''
        end as status
    from records as r
    left join rate.suspense as s
        on r.side = 'charge' and s.source = r.source and s.dr_sid = r.dr_sid and s.payer_sid = r.payer_sid
        and s.payee_sid = r.payee_sid
),

items as (
    select i.currency, i.number is not null as issued, l.records, l.amount_exact, l.amount,
        case
            when l.type in ('toll', 'toll_free', 'bridge', 'sms', 'mms') then null
            when l.type = 'did' then 'rent of numbers'
            when l.type <> 'adjustment' then 'features by use'
            when p.kind = 'discount' then 'discounts'
            when p.kind in ('committed', 'counted', 'above') then 'short of commitments'
            when p.kind is not null then 'charges'
            else 'adjustments'
        end as added
    from invoice.items as l
    join invoice.invoices as i on i.invoice_sid = l.invoice_sid
    left join (select invoice_sid, line_no, max(kind) as kind from invoice.parts group by all) as p
        on p.invoice_sid = l.invoice_sid and p.line_no = l.line_no
),

lines as (
    select 1 as rank, step, 'fetched' as section, case resource when 'calls' then 'call' when 'messages' then 'message'
            else resource end as service, null as side, what, null as reason, records, null as seconds,
        null::decimal(38, 10) as money, null as currency
    from fetched
    union all
    select 2, 0, 'landed', service, null, 'landed', null, records, null, null, null
    from landed
    union all
    select 3, case rating_status when 'rated' then 1 when 'not_billable' then 2 else 3 end, 'rated', service,
        case when level > 1 then 'resold' else side end, status, unrated_reason,
        count(*), sum(seconds) filter (rating_status = 'rated'), sum(amount) filter (rating_status = 'rated')::decimal(38, 10),
        case when rating_status = 'rated' then currency end
    from rated
    group by all
    union all
    select 4, case fate when 'claimed' then 1 when 'waiting' then 2 else 3 end, 'charged', service, null, fate,
        reason, sum(records), sum(usage) filter (service = 'call'), sum(money)::decimal(38, 10), currency
    from measure.fates_by_day
    group by all
    union all
    select 5, 1, 'invoiced', null, null, 'claimed records', null, count(*), sum(usage) filter (service = 'call'),
        sum(c.amount)::decimal(38, 10), i.currency
    from invoice.claims as c
    join invoice.invoices as i on i.invoice_sid = c.invoice_sid
    group by i.currency
    union all
    select 5, 2, 'invoiced', null, null, added, null, sum(records), null, sum(amount_exact)::decimal(38, 10), currency
    from items
    where added is not null
    group by added, currency
    union all
    select 5, 3, 'invoiced', null, null, 'rounding of lines', null, null, null, sum(amount::decimal(20, 10) - amount_exact)::decimal(38, 10), currency
    from items
    group by currency
    union all
    select 5, case when issued then 4 else 5 end, 'invoiced', null, null,
        case when issued then 'lines of issued invoices' else 'lines of drafts' end,
        null, null, null, sum(amount)::decimal(38, 10), currency
    from items
    group by issued, currency
    union all
    select 5, 6, 'invoiced', null, null, 'taxes', null, null, null, sum(t.amount)::decimal(38, 10), i.currency
    from invoice.taxes as t
    join invoice.invoices as i on i.invoice_sid = t.invoice_sid
    group by i.currency
    union all
    select 5, 7, 'invoiced', null, null, 'invoices', null, count(*), null, sum(amount + amount_tax)::decimal(38, 10), currency
    from invoice.invoices
    group by currency
)

select
    row_number() over (order by rank, service, side, currency, step, what, reason) as line,
    section, service, side, what, reason, records::bigint as records, seconds::decimal(38, 3) as seconds,
    money, currency
from lines
order by line
