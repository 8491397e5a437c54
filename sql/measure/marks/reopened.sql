-- reopened: where records have been rated that a person had written off, so that their fellows are not all alike.
--
-- Grain:  one row per UTC day, service and payee
-- Reads:  rate.calls, rate.messages, rated_since
with charges as not materialized (
    select service, source, dr_sid, payee_sid, revision, rating_status, date_stop from rate.calls where side = 'charge'
    union all
    select service, source, dr_sid, payee_sid, revision, rating_status, date_stop from rate.messages where side = 'charge'
)

select distinct (date_stop at time zone 'UTC')::date as day, service, payee_sid
from charges
semi join rated_since using (source, dr_sid, payee_sid)
where rating_status = 'rated' and revision = 1
