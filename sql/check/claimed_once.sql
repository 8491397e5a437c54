-- purpose: no revision of a record is on two invoices, or twice on one
-- grain:   one row per record, revision, side and payer that is
-- reads:   invoice.claims
select service, source, dr_sid, revision, side, payer_sid, count(*) as times
from invoice.claims
group by all
having count(*) > 1
