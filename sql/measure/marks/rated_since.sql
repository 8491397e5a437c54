-- rated_since: what a person had written off, and is not unrated any more.
--
-- Grain:  one row per record and payee
-- Reads:  invoice.write_offs, invoice.rulings, measure.exceptions
with written_off as (
    select distinct w.source, w.dr_sid, w.payee_sid
    from invoice.write_offs as w
    join invoice.rulings as r on r.ruling_id = w.ruling_id and r.undone_at is null
)

select *
from written_off
anti join (from measure.exceptions where side = 'charge' and rating_status = 'unrated') using (source, dr_sid, payee_sid)
