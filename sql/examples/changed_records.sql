-- purpose: records that the provider changed after we had them, with what changed in their price
-- grain:   one row per older content of a call
-- reads:   land.calls, land.calls_versions
select
    old.dr_sid, old.revision, old.landed_at, now_.landed_at as replaced_at,
    old.price as price_then, now_.price as price_now, now_.revision as revisions
from land.calls_versions as old
join land.calls as now_ using (source, dr_sid)
order by old.dr_sid, old.revision;
