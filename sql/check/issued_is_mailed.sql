-- purpose: every issued invoice has the hash of its document and one e-mail, sent or with a reason why not
-- grain:   one row per issued invoice that has not
-- reads:   invoice.invoices, deliver.emails
with mailed as (
    select invoice_sid, count(*) as emails from deliver.emails where kind = 'invoice' group by all
)

select invoice_sid, number, status, document_hash, coalesce(emails, 0) as emails
from invoice.invoices
left join mailed using (invoice_sid)
where number is not null and (document_hash is null or emails is distinct from 1)
