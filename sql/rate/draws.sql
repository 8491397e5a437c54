-- rate.draws: what bundles and tiers did to each record that an invoice has taken, in numbers and as a sentence.
--
-- Grain:  one row per record, payer, bundle or tier, and own number where each has a pool of its own.
-- Reads:  invoice.draws
-- Corrections are in it: a record that gave everything back has no row.
with summed as (
    select
        service, source, dr_sid, payer_sid, payee_sid, kind, key, own_number, arg_max(name, revision) as name,
        any_value(measure) as measure, sum(quantity)::decimal(20, 10) as quantity,
        arg_max(position, (revision, coalesce(redrawn_at, timestamptz '1970-01-01')))::decimal(20, 10) as position,
        sum(amount)::decimal(20, 10) as amount,
        list_distinct(list(invoice_sid)) as invoice_sids
    from invoice.draws
    group by service, source, dr_sid, payer_sid, payee_sid, kind, key, own_number
    having sum(quantity) <> 0 or sum(amount) <> 0
),

written as (
    select
        *,
        rtrim(rtrim(quantity::varchar, '0'), '.') || case measure when 'money' then '' else ' ' || measure end as counted,
        rtrim(rtrim(position::varchar, '0'), '.') || case measure when 'money' then '' else ' ' || measure end as reached,
        rtrim(rtrim(abs(amount)::varchar, '0'), '.') || case when amount > 0 then ' more' else ' less' end as change
    from summed
)

select
    * exclude (counted, reached, change),
    case
        when kind = 'bundle' then 'The bundle ' || name || ' covers ' || counted || ' of it: ' || change || '.'
        when amount = 0 then 'It counts ' || counted || ' in ' || name || ', at ' || reached || ' of the period: the price stays.'
        else 'It counts ' || counted || ' in ' || name || ', at ' || reached || ' of the period: ' || change || '.'
    end as sentence
from written
