-- purpose: what the first six digits of a number say: which country, and whether it is a risky range
-- grain:   one row per six first digits that were dialled
-- reads:   ranges, measure.calling_codes, measure.risky_ranges
-- The longest prefix counts; [signals] risky_ranges and safe_ranges of the policy stand above the list.
with dialled as (
    select distinct area from ranges where is_out
),

risky as (
    select prefix, replace(what, '_', ' ') || coalesce(', ' || country_code, '') as risk, 0 as rank from measure.risky_ranges
    union all
    select unnest($risky_ranges::varchar[]) as prefix, 'own list, ' || prefix, 1
    union all
    select unnest($safe_ranges::varchar[]) as prefix, null, 2
),

starts as (
    select area, unnest(range(1, 7)) as digits, left(area, digits) as prefix from dialled
),

countries as (
    select area, arg_max(country_code, digits) as country
    from starts join measure.calling_codes using (prefix)
    group by area
),

risks as (
    select area, arg_max_null(risk, 10 * digits + rank) as risk
    from starts join risky using (prefix)
    group by area
)

select area, coalesce(country, 'no country') as country, risk
from dialled
left join countries using (area)
left join risks using (area)
