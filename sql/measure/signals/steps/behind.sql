-- purpose: the records behind what was raised
-- grain:   one row per signal and record
-- reads:   raised, landed_calls, landed_messages
with places as (
    select signal_sid, day, unnest(places) as place from raised
)

select
    signal_sid, day, 'call' as service, source, dr_sid, date_start, date_stop, price,
    case when date_stop > date_talk then ((epoch_ms(date_stop) - epoch_ms(date_talk)) * 0.001)::decimal(18, 3) else 0 end
        as seconds
from places join landed_calls using (place)
union all
select signal_sid, day, 'message', source, dr_sid, date_start, date_insert, price, 0
from places join landed_messages using (place)
