-- purpose: what does not add up
-- grain:   one row per difference; none when it adds up
-- reads:   measure.statement_differences
select * from measure.statement_differences
