-- purpose: values of enumerations that the provider's documents do not name; kept as they came, and counted here
-- grain:   one row per resource, field and value
-- reads:   land.calls, land.messages
-- The status of a message is an open list in the documents and is not looked at.
with known as (
    select 'direction' as field, unnest(['any', 'inbound', 'outbound', 'undirected']) as value
    union all
    select 'type', unnest(['conference_call', 'conference_meeting', 'mediator', 'mms', 'sms', 'telecom'])
    union all
    select 'disconnect_originator', unnest(['src', 'dst'])
    union all
    select 'stir_attest', unnest(['A', 'B', 'C'])
),

seen as (
    select 'calls' as resource, unnest(['direction', 'type', 'disconnect_originator', 'stir_attest']) as field,
        unnest([direction, type, disconnect_originator, stir_attest]) as value, date_insert
    from land.calls
    union all
    select 'messages', unnest(['direction', 'type']), unnest([direction, type]), date_insert
    from land.messages
)

select
    resource, field, value,
    count(*) as records,
    min(date_insert) as first_seen,
    max(date_insert) as last_seen
from seen
anti join known using (field, value)
where value is not null
group by all
order by records desc, resource, field, value
