-- purpose: what was raised, one line each
-- grain:   one row per kind, partner, subject and UTC day
-- reads:   raised, who, behind
-- Severity says how far beyond the threshold: from four times on high, from twice on medium, else low. seconds and cost
-- are those of the records behind; cost is the provider's price as it stands on them.
with sums as (
    select
        signal_sid, count(*) as records, min(date_start) as window_start, max(date_stop) as window_end,
        sum(seconds) as seconds, sum(price) as cost
    from behind
    group by signal_sid
)

select
    signal_sid, day, kind,
    case when measured >= 4 * threshold then 'high' when measured >= 2 * threshold then 'medium' else 'low' end
        as severity,
    partner_sid, subject, reason, measured, threshold, unit, records, window_start, window_end,
    seconds::decimal(18, 3) as seconds, cost::decimal(24, 12) as cost
from raised join sums using (signal_sid)
order by day, kind, partner_sid, subject
