-- rate.charge_costs: what single calls and messages cost us.
--
-- Grain:  one row per record.
-- Reads:  rate.calls, rate.messages
-- Reports see only those here that rate.charge_differences could name: the cost side of measure.exceptions.
select * from rate.calls where side = 'cost'
union all by name
select * from rate.messages where side = 'cost'
