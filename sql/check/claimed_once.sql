-- purpose: no revision of a record is on two invoices at once, or twice on one
-- grain:   one row per record, revision, side and payer that is
-- reads:   invoice.claims, invoice.adjusted, invoice.entries
-- A credit note that gives records back reverses their claims, one by one; only then are they billed again. A claim that
-- left nothing of a record, because its revision had become free or unrated, makes room too: it is billed at the same
-- revision where that comes to cost something.
with credit_notes as (
    select distinct invoice_sid from invoice.entries where kind = 'credit_note'
),

claims as (
    select c.*, n.invoice_sid is not null as reversed
    from invoice.claims as c
    left join credit_notes as n using (invoice_sid)
),

several as (
    select
        service, source, dr_sid, revision, side, payer_sid,
        count(*) filter (not reversed) as times,
        count(*) filter (reversed) as given_back
    from claims
    group by all
    having times - given_back not in (0, 1)
),

-- What was billed of these at lower revisions.
billed as (
    select source, dr_sid, payer_sid, revision, amount, usage from invoice.claims
    union all
    select source, dr_sid, payer_sid, revision, amount, usage from invoice.adjusted
),

before as (
    select
        s.source, s.dr_sid, s.revision, s.payer_sid, coalesce(sum(b.amount), 0) as amount,
        coalesce(sum(b.usage), 0) as usage
    from several as s
    left join billed as b
        on b.source = s.source and b.dr_sid = s.dr_sid and b.payer_sid = s.payer_sid and b.revision < s.revision
    group by all
),

emptied as (
    select
        c.source, c.dr_sid, c.revision, c.payer_sid,
        count(*) filter (not c.reversed and c.amount = -b.amount and c.usage = -b.usage)
        - count(*) filter (c.reversed and c.amount = b.amount and c.usage = b.usage) as times
    from claims as c
    join before as b using (source, dr_sid, revision, payer_sid)
    group by all
)

select s.service, s.source, s.dr_sid, s.revision, s.side, s.payer_sid, s.times, s.given_back
from several as s
join emptied as e using (source, dr_sid, revision, payer_sid)
where s.times - s.given_back - e.times not in (0, 1)
