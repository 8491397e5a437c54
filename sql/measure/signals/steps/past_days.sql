-- purpose: how much history there is to compare with
-- grain:   one row per partner (on its day) with outbound traffic before
-- reads:   past_hours
select partner, count(distinct day) as days from past_hours group by partner
