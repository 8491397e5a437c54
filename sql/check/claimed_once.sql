-- purpose: no revision of a record is on two invoices at once, or twice on one
-- grain:   one row per record, revision, side and payer that is
-- reads:   invoice.claims, invoice.entries
-- A credit note that gives records back reverses their claims, one by one; only then are they billed again.
with credit_notes as (
    select distinct invoice_sid from invoice.entries where kind = 'credit_note'
),

claims as (
    select c.*, n.invoice_sid is not null as reversed
    from invoice.claims as c
    left join credit_notes as n using (invoice_sid)
)

select
    service, source, dr_sid, revision, side, payer_sid,
    count(*) filter (not reversed) as times,
    count(*) filter (reversed) as given_back
from claims
group by all
having times - given_back not in (0, 1)
