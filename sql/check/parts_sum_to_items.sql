-- purpose: the parts behind each line that no record stands behind sum to it, to the last decimal
-- grain:   one row per line that differs
-- reads:   invoice.parts, invoice.items, invoice.invoices
-- An adjustment may have none: a person decided it. Discounts and commitments rest on lines, which are parts and no
-- records. Line 0 only notes a commitment that was reached, or usage that was given back and counts no more.
-- Rent was billed before parts were kept: invoices that are older than all that have parts stay as they are.
with parts as (
    select invoice_sid, line_no, count(*) as parts, sum(amount) as amount
    from invoice.parts
    group by all
),

before_parts as (
    select invoice_sid
    from invoice.invoices
    where date_created < (
        select coalesce(min(date_created), 'infinity') from invoice.invoices semi join parts using (invoice_sid)
    )
),

lines as (
    select * from invoice.items where type not in ('toll', 'toll_free', 'bridge', 'sms', 'mms')
)

select
    invoice_sid, line_no, parts.parts, lines.records as line_records, parts.amount as parts_amount,
    lines.amount_exact as line_amount
from parts
full join lines using (invoice_sid, line_no)
where
    not (line_no = 0 and parts.amount = 0) and not (lines.type = 'adjustment' and parts.parts is null)
    and not (lines.type = 'did' and invoice_sid in (from before_parts))
    and (parts.amount is distinct from lines.amount_exact or lines.records > 0 and parts.parts <> lines.records)
