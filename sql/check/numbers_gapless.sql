-- purpose: invoice numbers run from 1 without a gap, per series and year
-- grain:   one row per series and year with a gap or an unreadable number
-- reads:   invoice.invoices
with numbered as (
    select
        regexp_extract(number, '^(.+-\d{4})-(\d+)$', 1) as series,
        try_cast(regexp_extract(number, '^(.+-\d{4})-(\d+)$', 2) as bigint) as counted
    from invoice.invoices
    where number is not null
)

select series, count(*) as numbers, count(distinct counted) as different, max(counted) as highest
from numbered
group by all
having count(*) <> count(distinct counted) or max(counted) is distinct from count(*) or series = ''
