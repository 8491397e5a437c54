-- purpose: the records behind what does not add up
-- grain:   one row per record, side and rule that it breaks; the first hundred
-- reads:   measure.unaccounted
select * from measure.unaccounted limit 100
