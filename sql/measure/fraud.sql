-- purpose: signals of possible fraud, each with its customer and why it was raised, the gravest of a day first
-- grain:   one row per signal
-- reads:   measure.signals, land.partners
-- What each kind looks for, and from where on, is in the query of its name under sql/measure/signals/ and in [signals]
-- of policy.toml. The records behind a signal are in measure.fraud_records.
select
    signals.signal_sid, day, kind, severity, signals.partner_sid,
    coalesce(partners.company_name, signals.partner_sid) as company_name,
    subject, reason, measured, threshold, unit, records, window_start, window_end, seconds, cost
from measure.signals
left join land.partners on partners.partner_sid = signals.partner_sid
order by day desc, case severity when 'high' then 0 when 'medium' then 1 else 2 end, company_name, kind, subject
