-- purpose: volume, quality and money of the traffic, day by day and country by country
-- grain:   one row per UTC day, service, direction, country of the far end and currency
-- reads:   rate.calls, rate.messages
-- ASR (answer-seizure ratio) = answered / attempts; ACD (average call duration) = talk seconds / answered calls
-- (ITU-T E.425). Revenue is what we charge (level 1), cost what the provider charges us (level 0).
with calls as (
    select
        (date_stop at time zone 'UTC')::date as day,
        service, direction, country_code, currency, level, amount,
        level = 0 and (base_seconds > 0 or unrated_reason = 'answer_missing') as is_answered,
        case when level = 0 then base_seconds end as talk_seconds,
        null::bigint as units
    from rate.calls
    where level <= 1
),

messages as (
    select
        (date_stop at time zone 'UTC')::date as day,
        service, direction, country_code, currency, level, amount,
        null::boolean as is_answered,
        null::decimal(18, 3) as talk_seconds,
        case when level = 0 then billed_units end as units
    from rate.messages
    where level <= 1
),

records as (
    select * from calls
    union all
    select * from messages
),

-- A record that has no plan has no currency; it belongs to the day's own.
priced as (
    select * replace (coalesce(currency, max(currency) over (partition by day), 'USD') as currency) from records
),

final as (
    select
        day, service, direction, country_code,
        count(*) filter (level = 0) as attempts,
        count(*) filter (is_answered) as answered,
        round(100.0 * count(*) filter (is_answered) / nullif(count(*) filter (level = 0 and service = 'call'), 0), 1)
            as asr_percent,
        coalesce(sum(talk_seconds), 0) as talk_seconds,
        round(sum(talk_seconds) / nullif(count(*) filter (is_answered), 0), 1) as acd_seconds,
        coalesce(sum(units), 0)::bigint as message_units,
        currency,
        coalesce(sum(amount) filter (level = 1), 0) as revenue,
        coalesce(sum(amount) filter (level = 0), 0) as cost,
        coalesce(sum(amount) filter (level = 1), 0) - coalesce(sum(amount) filter (level = 0), 0) as margin
    from priced
    group by all
)

select * from final
order by day, service, direction, country_code, currency
