-- invoice/draws, eighth step: how much each record counts in its tier: the first that takes it.
--
-- Grain:  one row per record that counts in a tier.
-- Reads:  charges, fits, terms, bundled
with chosen as (
    select n, min(term) as term, any_value(own) as own from fits where kind = 'tier' group by n
),

remaining as (
    select n, min(left_ms) as left_ms, arg_min(after_e10, left_ms) as after_e10 from bundled group by n
),

volumes as (
    select
        x.n, x.term, x.own,
        case t.per when 'number' then c.own_number else '' end as own_number,
        coalesce(r.left_ms, c.usage_ms) as left_ms,
        coalesce(r.after_e10, c.amount_e10) as cost_e10,
        case t.measure when 'money' then coalesce(r.after_e10, c.amount_e10) else coalesce(r.left_ms, c.usage_ms) end
            as volume_n
    from chosen as x
    join terms as t on t.term = x.term
    join charges as c on c.n = x.n
    left join remaining as r on r.n = x.n
)

select * from volumes where volume_n > 0
