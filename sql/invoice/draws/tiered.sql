-- invoice/draws, tenth step: what each record costs in its tier.
--
-- Grain:  one row per record that counts in a tier.
-- Reads:  charges, counted, placed, terms,
--         tier_steps         term, from_n, to_n, value: the price in 1e-12 or the percentage in 1e-4 of each step, null
--                            below the first
-- A record that is priced whole is one piece; else it has a piece in each step in which some of it lies.
with pieces as (
    select
        c.n, c.left_ms, c.cost_e10, c.volume_n, t.rule, t.measure, t.priced, t.unit_ms, s.value,
        case
            when t.rule = 'retroactive' then 1
            else least(p.position_n + c.volume_n, s.to_n) - greatest(p.position_n, s.from_n)
        end::hugeint as part
    from counted as c
    join placed as p on p.n = c.n
    join terms as t on t.term = c.term
    join tier_steps as s
        on s.term = c.term and p.position_n < s.to_n
        and case when t.rule = 'retroactive' then s.from_n <= p.position_n else s.from_n < p.position_n + c.volume_n end
),

-- Each piece's worth, over a denominator that all pieces of a record share.
worths as (
    select
        x.n, any_value(x.cost_e10) as cost_e10,
        any_value(c.quantum) as quantum, any_value(c.rounding_mode) as rounding_mode,
        sum(case
            when priced and value is null then cost_e10 * 100 * x.unit_ms * part
            when priced then (least(c.fee_e12, cost_e10 * 100) * x.unit_ms + value * left_ms) * part
            when measure = 'money' and rule = 'marginal' then (1000000 + coalesce(value, 0)) * 100 * part
            else cost_e10 * 100 * (1000000 + coalesce(value, 0)) * part
        end) as worth,
        any_value(case
            when priced then x.unit_ms * if(rule = 'retroactive', 1, volume_n)
            when measure = 'money' or rule = 'retroactive' then 1000000
            else 1000000 * volume_n
        end)::hugeint as shares
    from pieces as x
    join charges as c on c.n = x.n
    group by x.n
)

select n, rounded_e10(worth, shares, quantum, rounding_mode) - cost_e10 as effect_e10
from worths
