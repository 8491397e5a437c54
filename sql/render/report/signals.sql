-- purpose: what looks like fraud, the worst first
-- grain:   one row per signal of the month
-- reads:   measure.signals, land.partners
select
    signals.severity, signals.day, coalesce(partners.company_name, signals.partner_sid, 'nobody') as company_name,
    signals.kind, signals.subject, signals.reason, signals.records, signals.cost, signals.signal_sid
from measure.signals as signals
left join land.partners as partners using (partner_sid)
where signals.day >= $first and signals.day < $after
order by
    array_position(['high', 'medium', 'low'], signals.severity), signals.cost desc nulls last, signals.day, signals.kind,
    signals.signal_sid
limit 100
