-- purpose: what a customer dials hour by hour; later days are compared with it
-- grain:   one row per partner, service and UTC hour with outbound traffic
-- reads:   calls, texts, up, who
with peaks as (
    select partner, least(greatest(tick * 60000 - epoch_ms(day), 0) // 3600000, 23)::integer as hour, max(up) as peak
    from up join who using (partner)
    group by all
),

counted as (
    select partner, 'call' as service, hour, count(*) as records, sum(price) as cost, max(price) as dearest
    from calls where is_out group by all
    union all
    select partner, 'message', hour, count(*), sum(price), max(price)
    from texts group by all
)

select partner, service, hour, coalesce(records, 0) as records, coalesce(cost, 0)::decimal(24, 12) as cost,
    coalesce(peak, 0) as peak, coalesce(dearest, 0) as dearest
from counted
full join (select *, 'call' as service from peaks) using (partner, service, hour)
