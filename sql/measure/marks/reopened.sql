-- reopened: where records have been rated that a person had written off, so that their fellows are not all alike.
--
-- Grain:  one row per UTC day, service and payee
-- Reads:  invoice.write_offs, invoice.rulings, rate.calls, rate.messages
-- Most of what was written off is still unrated; only for the rest are all records looked through.
with charges as not materialized (
    select service, source, dr_sid, payee_sid, revision, rating_status, date_stop from rate.calls where side = 'charge'
    union all
    select service, source, dr_sid, payee_sid, revision, rating_status, date_stop from rate.messages where side = 'charge'
),

written_off as (
    select distinct w.source, w.dr_sid, w.payee_sid
    from invoice.write_offs as w
    join invoice.rulings as r on r.ruling_id = w.ruling_id and r.undone_at is null
),

rated_since as (
    select *
    from written_off
    anti join (from charges where rating_status = 'unrated') using (source, dr_sid, payee_sid)
)

select distinct (date_stop at time zone 'UTC')::date as day, service, payee_sid
from charges
semi join rated_since using (source, dr_sid, payee_sid)
where rating_status = 'rated' and revision = 1
