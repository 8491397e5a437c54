-- buckets: what was charged of a day beside what invoices took of it, and what that says of all of its records.
--
-- Grain:  one row per UTC day, service, payer and payee
-- Reads:  measure.charge_days, measure.claim_days, invoice.invoices, invoice.accounts, reopened
-- state is claimed where exactly these records are claimed at what they were rated at; waiting where nobody claims any and
-- all wait for the same reason; else open: its records are compared one by one. Revised records are compared at any rate.
-- That a record of the first revision has one day, and one payer for each payee, is what makes days comparable.
with charged as (
    select
        day, service, payer_sid, payee_sid, any_value(currency) as currency,
        count(*) = 1 and any_value(currency) is not null as plain,
        sum(records) as records, sum(usage) as usage, sum(money) as money, sum(mark) as mark,
        sum(usage_mark) as usage_mark, sum(money_mark) as money_mark,
        min(first_stop) as first_stop, max(last_stop) as last_stop
    from measure.charge_days
    where not revised
    group by day, service, payer_sid, payee_sid
),

claimed as (
    select
        c.day, c.service, c.payer_sid, c.payee_sid, any_value(i.currency) as currency,
        count(distinct i.currency) = 1 and count(i.currency) = count(*) as plain,
        sum(c.records) as records, sum(c.usage) as usage, sum(c.money) as money, sum(c.mark) as mark,
        sum(c.usage_mark) as usage_mark, sum(c.money_mark) as money_mark
    from measure.claim_days as c
    left join invoice.invoices as i on i.invoice_sid = c.invoice_sid
    where c.what = 'claim' and not c.revised
    group by c.day, c.service, c.payer_sid, c.payee_sid
),

-- What draws change of a record is not in what it was rated at.
drawn as (
    select
        day, service, payer_sid, payee_sid, bool_or(what = 'adjusted') as adjusted,
        coalesce(sum(money) filter (what in ('bundle', 'tier')), 0) as money,
        coalesce(sum(money_mark) filter (what in ('bundle', 'tier')), 0) as money_mark,
        coalesce(sum(money) filter (what = 'bundle'), 0) as bundle_money,
        coalesce(sum(money_mark) filter (what = 'bundle'), 0) as bundle_mark
    from measure.claim_days
    where what <> 'claim' and not revised
    group by day, service, payer_sid, payee_sid
),

compared as (
    select
        coalesce(c.day, k.day, d.day) as day, coalesce(c.service, k.service, d.service) as service,
        coalesce(c.payer_sid, k.payer_sid, d.payer_sid) as payer_sid,
        coalesce(c.payee_sid, k.payee_sid, d.payee_sid) as payee_sid,
        c.currency, c.records, c.usage, c.money, c.first_stop, c.last_stop, k.money as claimed_money,
        coalesce(d.money, 0) as drawn_money, coalesce(d.money_mark, 0) as drawn_mark,
        coalesce(d.bundle_money, 0) as bundle_money, coalesce(d.bundle_mark, 0) as bundle_mark,
        case
            when not c.plain or coalesce(d.adjusted, false) then 'open'
            when k.day is null and d.day is null then 'waiting'
            when k.plain and k.currency = c.currency and k.records = c.records and k.mark = c.mark
                and k.usage = c.usage and k.usage_mark = c.usage_mark
                and k.money - coalesce(d.money, 0) = c.money
                and k.money_mark - coalesce(d.money_mark, 0) = c.money_mark then 'claimed'
            else 'open'
        end as state
    from charged as c
    full join claimed as k
        on k.day = c.day and k.service = c.service and k.payer_sid = c.payer_sid and k.payee_sid = c.payee_sid
    full join drawn as d
        on d.day = coalesce(c.day, k.day) and d.service = coalesce(c.service, k.service)
        and d.payer_sid = coalesce(c.payer_sid, k.payer_sid) and d.payee_sid = coalesce(c.payee_sid, k.payee_sid)
),

-- Where others claim what they are not charged, it may be these records.
disputed as (
    select day, service, payee_sid from compared where state = 'open'
    union
    select day, service, payee_sid from reopened
),

reasoned as (
    select
        b.*, o.day is not null as disputed,
        [
            case
                when a.partner_sid is null then 'no account'
                when stop < a.bill_from then 'before bill_from'
                when stop >= a.due_to then 'not yet due'
                when a.parked is not null then 'parked'
                else 'due'
            end
            for stop in [b.first_stop, b.last_stop]
        ] as reasons
    from compared as b
    left join disputed as o on o.day = b.day and o.service = b.service and o.payee_sid = b.payee_sid
    left join invoice.accounts as a on a.partner_sid = b.payer_sid and a.payee_sid = b.payee_sid
)

select
    * exclude (disputed, reasons, state),
    reasons[1] as reason,
    case
        when payer_sid is null or payee_sid is null then 'open'
        when state = 'waiting' and (disputed or reasons[1] <> reasons[2]) then 'open'
        else state
    end as state
from reasoned
