-- purpose: no message record is landed twice
-- grain:   one row per record that is
-- reads:   land.messages
select source, dr_sid, count(*) as times
from land.messages
group by all
having count(*) > 1
