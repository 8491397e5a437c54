-- purpose: hours in which a customer costs far more than its own history of that hour and weekday
-- grain:   one row per partner; places are what cost something in the hours that stand out
-- reads:   hours, past_hours, past_days, calls, texts
-- Raised where the provider's price of an hour > spend_least and > factor * usual even without its dearest record: one
-- long call is no pattern. Usual is the dearest such hour (one earlier or later counts too) of the same weekday, or of
-- all days while there is no such weekday yet.
with today as (
    select partner, hour, sum(cost) as cost, sum(cost) - max(dearest) as others
    from hours
    group by partner, hour
    having others > $spend_least
),

past as (
    select partner, hour, same_weekday, max(cost) as cost
    from (
        select day, partner, hour, same_weekday, sum(cost) as cost
        from past_hours semi join today using (partner)
        group by all
    )
    group by all
),

usual as (
    select
        t.partner, t.hour,
        coalesce(max(p.cost) filter (same_weekday), max(p.cost), 0) as usual
    from today as t
    left join past as p on p.partner = t.partner and p.hour between t.hour - 1 and t.hour + 1
    group by all
),

raised as (
    select *, greatest($spend_least, $factor * usual) as threshold
    from today join usual using (partner, hour) join past_days using (partner)
    where others > threshold and days >= $history_least
),

places as (
    select partner, list(place order by place) as places
    from (
        select raised.partner, place from raised join calls using (partner, hour) where is_out and price > 0
        union all
        select raised.partner, place from raised join texts using (partner, hour) where price > 0
    )
    group by partner
)

select
    partner, '' as subject, max(cost) as measured, arg_max(threshold, (cost, -hour)) as threshold, 'cost' as unit,
    format(
        'a cost of {} in the hour from {:02d}:00 UTC; {} at most in such an hour before',
        max(cost)::decimal(18, 2)::varchar, arg_max(hour, (cost, -hour)), arg_max(usual, (cost, -hour))::decimal(18, 2)::varchar
    ) as reason,
    any_value(places) as places
from raised join places using (partner)
group by partner
