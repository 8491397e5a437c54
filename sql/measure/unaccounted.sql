-- purpose: the records behind what does not add up: landed and not rated, rated and not landed, claimed by no invoice
-- grain:   one row per record, side and rule that it breaks; none when the statement adds up
-- reads:   land.calls, land.messages, rate.calls, rate.messages, invoice.claims, invoice.invoices
-- The rules are those of measure.statement_differences.
with landed as (
    select 'call' as service, source, dr_sid, date_stop from land.calls
    union all
    select 'message', source, dr_sid, date_insert from land.messages
),

rated as (
    select service, source, dr_sid, date_stop, side from rate.calls where level <= 1
    union all
    select service, source, dr_sid, date_stop, side from rate.messages where level <= 1
),

sides as (
    select landed.*, unnest(['cost', 'charge']) as side from landed
)

select
    'landed = rated + unrated + not billable' as rule, 'landed, and not rated' as what,
    service, side, source, dr_sid, date_stop
from sides
anti join rated using (service, source, dr_sid, side)
union all
select 'landed = rated + unrated + not billable', 'rated, and not landed', service, side, source, dr_sid, date_stop
from rated
anti join landed using (service, source, dr_sid)
union all
select
    'landed = rated + unrated + not billable', 'rated more than once',
    service, side, source, dr_sid, any_value(date_stop)
from rated
group by service, side, source, dr_sid
having count(*) > 1
union all
select
    'claims = lines before rounding', 'claimed by an invoice that does not exist',
    service, side, source, dr_sid, date_stop
from invoice.claims
anti join invoice.invoices using (invoice_sid)
order by rule, what, service, side, date_stop, source, dr_sid
