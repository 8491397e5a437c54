-- purpose: the records behind each usage line sum to it, to the last decimal
-- grain:   one row per line that differs
-- reads:   invoice.claims, invoice.items
-- Line 0 only notes that a later revision changed nothing.
with claimed as (
    select invoice_sid, line_no, count(*) as records, sum(amount) as amount
    from invoice.claims
    group by all
),

usage_lines as (
    select * from invoice.items where type in ('toll', 'toll_free', 'bridge', 'sms', 'mms')
)

select
    invoice_sid, line_no,
    claimed.records as claimed_records, usage_lines.records as line_records,
    claimed.amount as claimed_amount, usage_lines.amount_exact as line_amount
from claimed
full join usage_lines using (invoice_sid, line_no)
where
    not (line_no = 0 and claimed.amount = 0)
    and (
        claimed.amount is distinct from usage_lines.amount_exact
        or claimed.records is distinct from usage_lines.records
    )
