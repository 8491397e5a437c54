-- purpose: the provider's own access rules, and how each is used for calls
-- grain:   one row per rule, direction, kind of owner and whether it rejects what it does not apply to
-- reads:   land.access_rules, land.effective_acls
-- A rule that is in no list is here once, without owners: as one that rejects everybody's calls that it applies to.
with used as (
    select
        unnest(from_json(rules_json, '["VARCHAR"]')) as rule_sid, direction, owner_type, owner_sid,
        not coalesce(starts_with(action_true, 'reject'), false)
            and coalesce(starts_with(action_false, 'reject'), false) as others
    from land.effective_acls
    where service = 'call'
)

select
    coalesce(name, rule_sid) as name, field, operation, quantifier,
    from_json(entries_json, '["VARCHAR"]') as entries,
    coalesce(direction, 'any') as direction,
    coalesce(others, false) as others,
    coalesce(list(distinct owner_sid order by owner_sid) filter (owner_type = 'partner'), []) as partners,
    coalesce(list(distinct owner_sid order by owner_sid) filter (owner_type = 'trunk_group'), []) as groups
from land.access_rules
left join used using (rule_sid)
group by rule_sid, name, field, operation, quantifier, entries_json, direction, owner_type, others
order by name, direction, owner_type, others
