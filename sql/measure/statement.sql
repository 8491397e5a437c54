-- measure.statement: the statement that adds up, from what was fetched to what was invoiced.
--
-- Grain:  one row per line of the statement.
-- Reads:  measure.landings, land.calls, land.messages, measure.ratings, measure.fates_by_day, measure.claim_sums,
--         invoice.invoices, invoice.items, invoice.parts, invoice.taxes
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
    select 3, case rating_status when 'rated' then 1 when 'not_billable' then 2 else 3 end, 'rated', service, side,
        -- What could not be rated stays visible whatever was decided about it.
        concat_ws(', ', rating_status, replace(standing, '_', ' ')), unrated_reason, records, billed_seconds, amount,
        currency
    from measure.ratings
    union all
    select 4, case fate when 'claimed' then 1 when 'waiting' then 2 else 3 end, 'charged', service, null, fate,
        reason, sum(records), sum(usage) filter (service = 'call'), sum(money)::decimal(38, 10), currency
    from measure.fates_by_day
    group by all
    union all
    select 5, 1, 'invoiced', null, null, 'claimed records', null, sum(c.records), sum(c.seconds),
        sum(c.money)::decimal(38, 10), i.currency
    from measure.claim_sums as c
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
