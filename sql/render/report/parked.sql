-- purpose: customers whose invoice is held back, and why
-- grain:   one row per account that is parked
-- reads:   invoice.accounts
select name, seller, parked as reason, currency
from invoice.accounts
where parked is not null
order by reason, name
