-- purpose: no call record is landed twice
-- grain:   one row per record that is
-- reads:   land.calls
select source, dr_sid, count(*) as times
from land.calls
group by all
having count(*) > 1
