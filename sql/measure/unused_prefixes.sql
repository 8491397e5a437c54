-- purpose: rows of plans that no call has ever been priced by
-- grain:   one row per plan, version and prefix
-- reads:   rate.rates, rate.plans, measure.prefix_days
-- Only versions that have priced something are looked at; what has priced nothing is not in use.
select distinct rates.plan_sid, rates.plan_version, rates.prefix, rates.country_code
from rate.rates as rates
semi join measure.prefix_days as used using (plan_sid, plan_version)
anti join measure.prefix_days as priced
    on priced.plan_sid = rates.plan_sid and priced.plan_version = rates.plan_version
    and priced.matched_prefix = rates.prefix
semi join rate.plans as plans on plans.plan_sid = rates.plan_sid and plans.service = 'call'
order by rates.plan_sid, rates.plan_version, rates.prefix
