-- purpose: the records behind each line of an invoice, counted and summed
-- grain:   one row per line of an invoice
-- reads:   invoice.invoices, invoice.items, invoice.claims
select i.number, t.line_no, t.type, t.description, count(c.dr_sid) as records, sum(c.amount) as records_amount, t.amount
from invoice.invoices as i
join invoice.items as t using (invoice_sid)
left join invoice.claims as c using (invoice_sid, line_no)
group by all
order by i.number, t.line_no;
