-- purpose: what customers owe us, by currency and age, and what that is in the one currency that reports add up in
-- grain:   one row per currency and age of what is owed
-- reads:   invoice.ageing, measure.exchange_rates
-- report_amount is null where no rate serves today: such a row counts in its own currency alone. Nobody owes it in another.
select
    a.currency, a.age, count(*) as debts, sum(a.open_amount)::decimal(20, 2) as open_amount,
    sum(a.contested)::decimal(20, 2) as contested, x.report_currency,
    round(sum(a.open_amount)::decimal(20, 2) * x.rate, 2)::decimal(20, 2) as report_amount
from invoice.ageing as a
left join measure.exchange_rates as x
    on x.currency = a.currency and current_date >= x.date and current_date < x.until
group by a.currency, a.age, x.report_currency, x.rate
order by all
