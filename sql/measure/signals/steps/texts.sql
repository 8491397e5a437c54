-- purpose: the outbound messages of some days as signals look at them
-- grain:   one row per outbound message
-- reads:   landed_messages: the files of these days, each row with its place in them
select
    place,
    hash(partner_sid, epoch_ms(date_insert) // 86400000) as partner,
    try_cast(number_dst as ubigint) as far,
    far // 10000 as head,
    epoch_ms(date_insert) as sent_ms,
    (sent_ms // 3600000 % 24)::integer as hour,
    coalesce(price, 0) as price
from landed_messages
where direction = 'outbound'
