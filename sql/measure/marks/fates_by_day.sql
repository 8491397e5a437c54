-- measure.fates_by_day, of buckets whose records all share a fate, and of those that were compared one by one.
--
-- Grain:  that of measure.fates_by_day
-- Reads:  buckets, compared: the fates of the records that were compared
with fates as (
    select day, service, 'claimed' as fate, null as reason, currency, records, usage, claimed_money as money
    from buckets
    where state = 'claimed'
    union all
    select day, service, 'taken off by bundles', null, currency, 0, 0, -bundle_money
    from buckets
    where state = 'claimed' and bundle_mark <> 0
    union all
    select day, service, 'changed by tiers', null, currency, 0, 0, bundle_money - drawn_money
    from buckets
    where state = 'claimed' and drawn_mark <> bundle_mark
    union all
    select day, service, 'waiting', reason, currency, records, usage, money
    from buckets
    where state = 'waiting'
    union all
    select day, service, fate, reason, currency, records, usage, money
    from compared
)

select
    day, service, fate, reason, currency,
    sum(records)::bigint as records,
    sum(usage)::decimal(38, 3) as usage,
    sum(money)::decimal(38, 10) as money
from fates
group by day, service, fate, reason, currency
