-- The functions of rating that look into tables, in plain SQL.
--
-- Grain:  one value per call of a function.
-- Reads:  epochs  begin_ms of each piece of time
--         deck    the rows of the plans, see deck.sql
--         ported  number, lrn, from_ms, to_ms: where numbers are routed to
--         places  head, region, exchange: where the first digits of numbers are
-- With these, macros.sql and the tables that they read, calls.sql runs in any DuckDB, call by call. The engine has
-- quicker ones in their place, which give the same answers: see pipeline/rate/rater.py, lookup.py and places.py.

-- The piece of time that an instant falls into: no plan and no assignment begins or ends inside one.
create or replace temp macro epoch_of(at_ms) as
    (select count(*) from epochs where begin_ms <= at_ms) - 1;

-- The terms of the row of a plan that a number is rated by, and the length of its prefix: the longest in force.
-- term_id -1: the rows of that prefix ask for more than the number and the time, see special.sql.
create or replace temp macro rate_row(plan, number, at_ms) as (
    select arg_max({'term_id': if(is_special, -1, term_id), 'prefix_length': length(prefix)}, length(prefix))
    from deck
    where plan_key = plan and starts_with(number, prefix) and from_ms <= at_ms and at_ms < to_ms
);

-- The number that a call is routed to, where the one that was dialled is known to have been ported by then.
create or replace temp macro routed(bare, at_ms) as
    coalesce((
        select max(lrn) from ported where ported.number = bare and at_ms >= from_ms and at_ms < to_ms
    ), bare);

create or replace temp macro jurisdiction_of(src, dst) as
    jurisdiction_between(
        (select max(region) from places where head = head_of(src)),
        (select max(exchange) from places where head = head_of(src)),
        (select max(region) from places where head = head_of(dst)),
        (select max(exchange) from places where head = head_of(dst))
    );
