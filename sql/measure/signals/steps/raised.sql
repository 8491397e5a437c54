-- purpose: what one kind of signal raised, under its own name and without those who are to be left alone
-- grain:   one row per partner (on its day) and subject
-- reads:   found: the rows of the kind; who
-- A signal is named after kind, partner, subject and day: told once, it is known again when it is found again.
select
    left(md5(concat_ws('|', $kind, partner_sid, subject, day)), 16) as signal_sid,
    day, $kind as kind, partner_sid, subject, reason,
    measured::decimal(18, 3) as measured, threshold::decimal(18, 3) as threshold, unit, places
from found join who using (partner)
where not list_contains($quiet::varchar[], partner_sid)
    and not list_contains($quiet::varchar[], partner_sid || '/' || $kind)
