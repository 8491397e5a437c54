-- purpose: what has no price, why, and what it costs
-- grain:   one row per side and reason
-- reads:   rate.unrated
select side, unrated_reason, count(*) as records, sum(provider_price) as provider_price
from rate.unrated
group by all
order by records desc;
