-- The rows for messages that hold in each piece of time: no row begins or ends inside one.
--
-- Grain:  one row per plan, piece of time and what a row is found by
-- Reads:  epochs  begin_ms of each piece of time
--         deck    the rows of the plans, see message_deck.sql
create or replace temp table rows_held as
select d.plan_key, e.epoch, d.specificity, d.mcc, d.mnc, d.country_code, min(d.rate_id) as rate_id
from epochs as e
join deck as d on d.from_ms <= e.begin_ms and e.begin_ms < d.to_ms
group by d.plan_key, e.epoch, d.specificity, d.mcc, d.mnc, d.country_code
