-- purpose: how much of each plan is used, and how much of its traffic falls on the default row
-- grain:   one row per plan, version and side: the provider's plans as costs, ours as charges
-- reads:   measure.prefix_days, rate.rates
-- Many calls on the default row mean that the plan lacks prefixes; which rows were never used says
-- measure.unused_prefixes. Calls only: messages are priced by country and network.
with rows_of as (
    select plan_sid, plan_version, count(distinct prefix) as prefixes from rate.rates group by all
),

used as (
    select
        plan_sid, plan_version, side,
        count(distinct matched_prefix) as used_prefixes,
        sum(calls)::bigint as calls,
        coalesce(sum(calls) filter (matched_prefix = ''), 0)::bigint as default_calls
    from measure.prefix_days
    group by all
)

select
    plan_sid, plan_version, side, prefixes, used_prefixes, prefixes - used_prefixes as unused_prefixes, calls,
    default_calls,
    ((default_calls * 2000 + calls) // (2 * calls))::decimal(18, 0) * 0.1::decimal(2, 1) as default_percent
from used
left join rows_of using (plan_sid, plan_version)
order by default_percent desc, default_calls desc, plan_sid, plan_version, side
