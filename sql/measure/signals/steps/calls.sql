-- purpose: the calls of some days as signals look at them, in whole numbers, so that each look costs little
-- grain:   one row per inbound or outbound call
-- reads:   landed_calls: the files of these days, each row with its place in them
-- partner stands for a partner on one UTC day, see who: whatever is grouped by it is grouped by the day too.
-- far and near are the numbers of the other side and of ours, digits only; null where they are none. talk_ms is null
-- of a call that was not answered. net is the first half of the IPv4 address that an outbound call came from.
select
    place,
    hash(partner_sid, epoch_ms(date_stop) // 86400000) as partner,
    direction = 'outbound' as is_out,
    try_cast(if(direction = 'outbound', number_src, number_dst) as ubigint) as near,
    try_cast(if(direction = 'outbound', number_dst, number_src) as ubigint) as far,
    far // 10000 as head,
    epoch_ms(date_talk) as talk_ms,
    epoch_ms(date_stop) as stop_ms,
    (stop_ms // 3600000 % 24)::integer as hour,
    coalesce(price, 0) as price,
    if(direction = 'outbound', regexp_extract(ip_src, '^\d+\.\d+'), '') as net,
    starts_with(coalesce(stir_verstat, ''), 'TN-Validation-Failed') as is_refuted,
    coalesce(stir_attest in ('B', 'C'), false) as is_weak
from landed_calls
where direction in ('inbound', 'outbound')
