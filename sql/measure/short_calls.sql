-- purpose: customers whose answered calls are over within 6 seconds: robocalls, false answers, calls that drop
-- grain:   one row per month, direction and partner with short calls, the largest share first
-- reads:   measure.call_hours, land.partners
-- share = short calls / answered calls. Carriers put a surcharge on traffic with a large share, often from 10 or 15 % on.
with counted as (
    select
        date_trunc('month', day)::date as month, direction, partner_sid,
        sum(answered)::bigint as answered,
        sum(short_calls)::bigint as short_calls
    from measure.call_hours
    group by all
)

select
    month, direction, partner_sid, partners.company_name, answered, short_calls,
    ((short_calls * 2000 + answered) // (2 * answered))::decimal(18, 0) * 0.1::decimal(2, 1) as short_percent
from counted
left join land.partners as partners using (partner_sid)
where short_calls > 0
order by month desc, short_percent desc, short_calls desc, direction, partner_sid
