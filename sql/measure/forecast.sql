-- purpose: what the month's usage will come to for each customer
-- grain:   one row per customer and currency, of the month of the newest day that is rolled up
-- reads:   measure.money_days, land.partners
-- forecast = charges so far + for each day that is still to come, the mean of the same weekday within the last 28 days:
--            their cents added up and divided, as integers, by how many such days there were since traffic began.
-- The newest day is perhaps not over: it counts as what it has, or as what its weekday has, if that is more. Charges are at
-- the price of the plans (level 1), before bundles, rent and taxes.
with charged as (
    select day, payer_sid, currency, sum(amount)::decimal(38, 10) as amount
    from measure.money_days
    where level = 1 and rating_status = 'rated'
    group by day, payer_sid, currency
),

span as (
    select
        max(day) as newest,
        date_trunc('month', max(day))::date as first_day,
        (date_trunc('month', max(day)) + interval 1 month)::date as after_day,
        greatest(min(day), max(day) - 28) as pattern_from
    from measure.money_days
),

weekdays as (
    select isodow(pattern_day) as weekday, count(*) as days
    from (select unnest(generate_series(pattern_from, newest - 1, interval 1 day))::date as pattern_day from span)
    group by all
),

-- What each weekday brings in, in cents.
usual as (
    select
        payer_sid, currency, isodow(day) as weekday,
        (round(sum(amount), 2) * 100)::hugeint // any_value(weekdays.days) as cents
    from charged
    cross join span
    inner join weekdays on weekdays.weekday = isodow(day)
    where day >= pattern_from and day < newest
    group by all
),

to_come as (
    select usual.payer_sid, usual.currency, sum(usual.cents) as cents
    from (select unnest(generate_series(newest + 1, after_day - 1, interval 1 day))::date as day from span) as days
    inner join usual on usual.weekday = isodow(days.day)
    group by all
),

newest_day as (
    select payer_sid, currency, (round(amount, 2) * 100)::hugeint as cents
    from charged
    inner join span on day = newest
),

so_far as (
    select payer_sid, currency, (round(sum(amount), 2) * 100)::hugeint as cents
    from charged
    cross join span
    where day >= first_day
    group by all
),

-- What the newest day lacks to what its weekday usually has.
missing as (
    select usual.payer_sid, usual.currency, greatest(usual.cents - coalesce(newest_day.cents, 0), 0) as cents
    from usual
    inner join span on usual.weekday = isodow(newest)
    left join newest_day using (payer_sid, currency)
),

added as (
    select payer_sid, currency, cents as so_far, 0::hugeint as expected from so_far
    union all
    select payer_sid, currency, 0, cents from to_come
    union all
    select payer_sid, currency, 0, cents from missing
)

select
    span.first_day as month, span.newest as newest_day, payer_sid as partner_sid,
    any_value(partners.company_name) as company_name, currency,
    sum(so_far)::decimal(18, 0) * 0.01::decimal(3, 2) as so_far,
    sum(expected)::decimal(18, 0) * 0.01::decimal(3, 2) as expected,
    sum(so_far + expected)::decimal(18, 0) * 0.01::decimal(3, 2) as forecast
from added
cross join span
left join land.partners as partners on partners.partner_sid = payer_sid
group by span.first_day, span.newest, payer_sid, currency
order by forecast desc, partner_sid, currency
