-- invoice/draws, second step: which bundles and tiers may take which record.
--
-- Grain:  one row per record and bundle or tier of its payer.
-- Reads:  charges, periods, terms
select c.n, t.term, t.kind, c.own, case t.per when 'number' then c.own_number else '' end as own_number
from charges as c
join periods as p on p.own = c.own
join terms as t
    on t.payer_sid = p.payer_sid and t.payee_sid = p.payee_sid and t.service = c.service
    and (t.direction = '' or t.direction = c.direction)
    and (len(t.items) = 0 or list_contains(t.items, c.item_type))
    and (len(t.countries) = 0 or list_contains(t.countries, c.country_code))
    and (t.prefixes = '' or regexp_matches(c.number, t.prefixes))
    and (t.from_at is null or c.date_stop >= t.from_at)
    and (t.to_at is null or c.date_stop < t.to_at)
where c.usage_ms > 0 or c.amount_e10 > 0
