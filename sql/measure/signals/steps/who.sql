-- purpose: who had traffic on which day
-- grain:   one row per partner and UTC day; partner is the number that stands for both
-- reads:   landed_calls, landed_messages
with days as (
    select distinct partner_sid, epoch_ms(date_stop) // 86400000 as day from landed_calls
    union
    select distinct partner_sid, epoch_ms(date_insert) // 86400000 from landed_messages
)

select hash(partner_sid, day) as partner, partner_sid, date '1970-01-01' + day::integer as day
from days
where partner_sid is not null
