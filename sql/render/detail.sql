-- What stands behind the lines of some invoices, call by call and message by message, as it was when it was claimed.
-- Grain: (invoice_sid, source, dr_sid, revision), for the invoices of a batch.
-- Reads: claimed (the batch's rows of invoice.claims), land.calls, land.calls_versions, land.messages, land.messages_versions.
-- The record is taken at the claimed revision, not the newest, so that the document of an issued invoice stays what
-- it was. A record that is no longer kept leaves its numbers empty; its amount is in the claim.
-- Records have numbers with and without `+`; a customer sees one form, E.164, and what is no such number (a short code,
-- `anonymous`, a SIP address) as the record has it. Nearly all are
-- that or its bare digits, which one look settles.
with bounds as (
    select min(date_stop) as first_stop, max(date_stop) as last_stop from claimed
),
records as (
    select 'call' as service, source, dr_sid, revision, date_start, direction, number_src, number_dst
    from land.calls
    where date_stop between (select first_stop from bounds) and (select last_stop from bounds)
    union all
    select 'call', source, dr_sid, revision, date_start, direction, number_src, number_dst
    from land.calls_versions
    where date_stop between (select first_stop from bounds) and (select last_stop from bounds)
    union all
    select 'message', source, dr_sid, revision, date_start, direction, number_src, number_dst
    from land.messages
    where date_insert between (select first_stop from bounds) and (select last_stop from bounds)
    union all
    select 'message', source, dr_sid, revision, date_start, direction, number_src, number_dst
    from land.messages_versions
    where date_insert between (select first_stop from bounds) and (select last_stop from bounds)
)
select
    c.invoice_sid,
    c.service,
    c.line_no,
    coalesce(r.date_start, c.date_stop) as date_start,
    c.date_stop,
    r.direction,
    case
        when regexp_full_match(r.number_src, '[+]?[1-9][0-9]{6,14}') then '+' || ltrim(r.number_src, '+')
        else coalesce(e164(r.number_src), r.number_src)
    end as number_src,
    case
        when regexp_full_match(r.number_dst, '[+]?[1-9][0-9]{6,14}') then '+' || ltrim(r.number_dst, '+')
        else coalesce(e164(r.number_dst), r.number_dst)
    end as number_dst,
    c.usage,
    c.amount,
    c.dr_sid,
    c.revision,
    c.source
from claimed c
left join records r using (service, source, dr_sid, revision)
