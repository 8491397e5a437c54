-- Who pays for the records of each partner, kind and piece of time, and on which plan.
--
-- Grain:  payers   one row per payer of some record, with the terms of its plan; payer_id names it
--         routes   one row per partner, home, direction, family and epoch: the list of its payers, in order
-- Reads:  parties  partner_sid, side, level, payer_sid, payee_sid, verdict: who pays for whose records
--         choices  side, payer_sid, direction, family, from_ms, to_ms, plan_key, missing: the plan by time, gapless;
--                  plan_key is null where there is none, and missing says why
--         plans    plan_key and the terms of each plan version
--         kinds, epochs, homes: the directions and families, pieces of time and kinds of source that are at hand
create or replace temp table payers as
with asked as (
    select distinct
        p.side, p.level, p.payer_sid, p.payee_sid, p.verdict, k.direction, k.family, e.epoch, e.begin_ms, h.home
    from parties as p
    cross join kinds as k
    cross join epochs as e
    cross join homes as h
)

select
    (row_number() over ())::integer as payer_id,
    a.*,
    c.missing,
    t.*
from asked as a
left join choices as c
    on c.side = a.side and c.payer_sid = a.payer_sid and a.verdict is null
    and c.direction = a.direction and c.family = a.family
    and a.begin_ms >= c.from_ms and a.begin_ms < c.to_ms
    -- The provider's plans price the provider's own calls; what another one charges nobody has told us.
    and (a.side <> 'cost' or a.home)
left join plans as t on t.plan_key = c.plan_key;

create or replace temp table routes as
select
    p.partner_sid, y.home, y.direction, y.family, y.epoch,
    list(y.payer_id order by y.level, y.payer_sid) as payers
from parties as p
join payers as y
    on y.side = p.side and y.level = p.level and y.payer_sid = p.payer_sid
    and y.payee_sid is not distinct from p.payee_sid and y.verdict is not distinct from p.verdict
group by p.partner_sid, y.home, y.direction, y.family, y.epoch
