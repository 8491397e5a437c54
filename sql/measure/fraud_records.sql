-- purpose: the records behind each signal, as they came
-- grain:   one row per signal and record
-- reads:   measure.signal_records, land.calls, land.messages
select
    behind.signal_sid, behind.service, behind.source, behind.dr_sid, date_start, date_talk, date_stop, direction, partner_sid,
    number_src, number_dst, ip_src, sipcause, stir_attest, stir_verstat, price
from measure.signal_records as behind
join land.calls using (source, dr_sid)
where behind.service = 'call'
union all
select
    behind.signal_sid, behind.service, behind.source, behind.dr_sid, date_start, null, date_insert, direction, partner_sid,
    number_src, number_dst, null, null, null, null, price
from measure.signal_records as behind
join land.messages using (source, dr_sid)
where behind.service = 'message'
