-- purpose: one number dialled after the other, as programs do that look for who answers
-- grain:   one row per partner and run of neighbouring numbers; places are the calls to them
-- reads:   calls, owned
-- Raised where at least sequential_calls neighbouring numbers were dialled on a day, none of them one of ours.
-- A run lies in one block of a hundred numbers or in two, and one of these has half of it: others need no sorting.
with hundreds as (
    select partner, far // 100 as hundred
    from calls
    where is_out and head >= 1000
    group by all
    having count(*) * 2 >= $sequential_calls
),

candidates as (
    select distinct partner, hundred + unnest([0, 1, 2]) - 1 as hundred from hundreds
),

dialled as (
    select distinct calls.partner, far
    from calls join candidates on candidates.partner = calls.partner and candidates.hundred = far // 100
    where is_out and far not in (select number from owned)
),

runs as (
    select partner, far, far - row_number() over (partition by partner order by far) as run from dialled
),

raised as (
    select partner, min(far) as low, max(far) as high, count(*) as numbers
    from runs
    group by partner, run
    having count(*) >= $sequential_calls
)

select
    partner, low || ' to ' || high as subject, numbers as measured, $sequential_calls as threshold,
    'numbers' as unit,
    format('{} numbers in a row, from {} to {}', numbers, low, high) as reason,
    list(place order by place) as places
from raised join calls using (partner)
where is_out and far between low and high
group by partner, low, high, numbers
