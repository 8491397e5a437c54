-- invoice/draws, seventh step: what each bundle takes off each record.
--
-- Grain:  one row per record and bundle that it draws on, in the order of the bundles.
-- Reads:  charges, drawn
-- The connect fee stays. The rest is priced as the whole was; where steps, windows or a smallest charge made the
-- amount, each second bears the same share of it.
with totals as (
    select n, term, own_number, sum(drawn_ms) as drawn_ms
    from drawn
    where drawn_ms > 0
    group by n, term, own_number
),

remaining as (
    select
        t.*, c.* exclude (n, own_number),
        c.usage_ms - sum(t.drawn_ms) over (partition by t.n order by t.term) as left_ms,
        c.amount_e10 = rounded_e10(c.fee_e12 * c.unit_ms + c.price_e12 * c.usage_ms, c.unit_ms, c.quantum, c.rounding_mode)
            as plain,
        least(c.fee_e12, c.amount_e10 * 100) as least_fee_e12
    from totals as t
    join charges as c on c.n = t.n
),

priced as (
    select
        n, term, own_number, drawn_ms, left_ms, amount_e10,
        case
            when plain then rounded_e10(fee_e12 * unit_ms + price_e12 * left_ms, unit_ms, quantum, rounding_mode)
            else rounded_e10(
                least_fee_e12 * usage_ms + (amount_e10 * 100 - least_fee_e12) * left_ms, usage_ms, quantum, rounding_mode
            )
        end as after_e10
    from remaining
)

select
    n, term, own_number, drawn_ms, left_ms, after_e10,
    after_e10 - lag(after_e10, 1, amount_e10) over (partition by n order by term) as effect_e10
from priced
