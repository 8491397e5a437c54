-- purpose: every landed call is rated or has a reason, at the revision that landed
-- grain:   one row per record and what is wrong with it
-- reads:   land.calls, rate.calls
with costs as (
    select source, dr_sid, revision from rate.calls where side = 'cost'
),

charges as (
    select distinct source, dr_sid from rate.calls where side = 'charge'
),

missing as (
    select
        source, dr_sid,
        case
            when costs.revision is null then 'landed, but not rated'
            when landed.revision is null then 'rated, but not landed'
            when costs.revision <> landed.revision then 'rated at another revision'
            when charges.dr_sid is null then 'charged to nobody, without a reason'
        end as problem
    from land.calls as landed
    full join costs using (source, dr_sid)
    left join charges using (source, dr_sid)
),

unexplained as (
    select
        source, dr_sid,
        case
            when rating_status not in ('rated', 'unrated', 'not_billable') then 'unknown status'
            when rating_status = 'rated' and (amount is null or currency is null) then 'rated without an amount'
            when rating_status <> 'rated' and unrated_reason is null then rating_status || ' without a reason'
            when rating_status = 'unrated' and amount is not null then 'unrated with an amount'
        end as problem
    from rate.calls
)

select source, dr_sid, problem from missing where problem is not null
union all
select source, dr_sid, problem from unexplained where problem is not null
