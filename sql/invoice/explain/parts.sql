-- The parts of a line that no claimed record stands behind, each with the line that it goes by.
-- Grain:  one row per part of the line, in its order.
-- Reads:  invoice.parts, invoice.items
select
    p.kind, p.what, p.key, p.first_day, p.last_day, p.quantity, p.price, p.days, p.of_days, p.of_line_no,
    i.amount as line_amount, p.amount
from invoice.parts as p
left join invoice.items as i on i.invoice_sid = p.invoice_sid and i.line_no = p.of_line_no
where p.invoice_sid = $sid and p.line_no = $line
order by p.part_no
