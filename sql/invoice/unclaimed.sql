-- invoice.unclaimed: what no invoice has taken yet, and what has changed since one took it.
--
-- Grain:  one row per record, payer and payee that is still to be billed, corrected or given back.
-- Reads:  rate.calls, rate.messages, invoice.claims, invoice.draws, invoice.adjusted, invoice.rulings, invoice.write_offs
-- Rules:  A rated record is claimed whole, once per payee, whoever pays. A revision that is newer than the claimed one
--         is claimed by its difference, also where it has become free or unrated; where it has another payer by then,
--         the first payer gets back all. The same revision rated anew is not claimed again: what an invoice has taken
--         changes by adjustments only. Only a record that was given back is billed again at the same revision.
--         A record that was written off is nobody's, until that is undone.
-- Amounts and differences are at the plan's price: what bundles and tiers change comes on top, when a record is claimed.
-- full_amount and full_usage are those of the newest revision, whole; 0 where nothing is owed for it.
with charges as (
    select
        service, source, dr_sid, revision, payer_sid, payee_sid, direction, item_type, country_code, date_stop,
        plan_sid, plan_version, currency, matched_number, rate_price, connect_fee, unit_seconds,
        rating_status = 'rated' as rated,
        case when rating_status = 'rated' then amount else 0::decimal(20, 10) end as amount,
        case when rating_status = 'rated' then billed_seconds else 0::decimal(18, 3) end as usage
    from rate.calls
    where side = 'charge'
    union all
    select
        service, source, dr_sid, revision, payer_sid, payee_sid, direction, item_type, country_code, date_stop,
        plan_sid, plan_version, currency, matched_number, rate_price, connect_fee, 1 as unit_seconds,
        rating_status = 'rated' as rated,
        case when rating_status = 'rated' then amount else 0::decimal(20, 10) end as amount,
        case when rating_status = 'rated' then billed_units else 0 end::decimal(18, 3) as usage
    from rate.messages
    where side = 'charge'
),

-- What each payer has been billed for a record so far, all invoices together, at the plan's price. An adjustment counts
-- in what was billed; it alone does not hold a record whose claims were given back.
billed as (
    select source, dr_sid, payee_sid, payer_sid, revision, amount, usage, true as claim from invoice.claims
    union all
    select source, dr_sid, payee_sid, payer_sid, revision, -amount, 0, true from invoice.draws
    union all
    select source, dr_sid, payee_sid, payer_sid, revision, amount, usage, false from invoice.adjusted
),

-- A credit note that gives records back reverses the claims of its invoice, one by one. What is left of such a record
-- is claimed at the newest revision that was claimed more often than reversed; at none, it is free.
reversed as (
    select distinct source, dr_sid, payee_sid, payer_sid
    from invoice.claims
    where starts_with(invoice_sid, 'credit-')
),

left_over as (
    select source, dr_sid, payee_sid, payer_sid, revision
    from invoice.claims
    semi join reversed using (source, dr_sid, payee_sid, payer_sid)
    group by all
    having count(*) > 2 * count(*) filter (starts_with(invoice_sid, 'credit-'))
),

standing as (
    select source, dr_sid, payee_sid, payer_sid, max(revision) as revision
    from left_over
    group by all
),

summed as (
    select
        source, dr_sid, payee_sid, payer_sid, max(revision) as seen,
        sum(amount)::decimal(20, 10) as amount, sum(usage)::decimal(18, 3) as usage,
        (sum(amount) <> 0 or sum(usage) <> 0)
        and (coalesce(sum(amount) filter (claim), 0) <> 0 or coalesce(sum(usage) filter (claim), 0) <> 0) as holds
    from billed
    group by source, dr_sid, payee_sid, payer_sid
),

-- revision is null where all claims were given back; seen is the newest that ever was billed.
claimed as (
    select b.*, case when r.dr_sid is null then b.seen else s.revision end as revision
    from summed as b
    left join reversed as r using (source, dr_sid, payee_sid, payer_sid)
    left join standing as s using (source, dr_sid, payee_sid, payer_sid)
),

written_off as (
    select distinct w.source, w.dr_sid, w.payee_sid
    from invoice.write_offs as w
    join invoice.rulings as r on r.ruling_id = w.ruling_id and r.undone_at is null
),

-- Who holds a record now, and at which revision.
held as (
    select source, dr_sid, payee_sid, payer_sid, revision
    from claimed
    where holds
),

own as (
    select
        c.* exclude (amount, usage),
        c.amount as full_amount,
        c.usage as full_usage,
        k.seen is not null as correction,
        (c.amount - coalesce(k.amount, 0))::decimal(20, 10) as amount,
        (c.usage - coalesce(k.usage, 0))::decimal(18, 3) as usage
    from charges as c
    left join claimed as k
        on k.source = c.source and k.dr_sid = c.dr_sid and k.payee_sid = c.payee_sid and k.payer_sid = c.payer_sid
    where
        (c.rated or coalesce(k.revision, k.seen) < c.revision)
        and (
            k.revision is null
            or k.revision < c.revision
            or (k.revision = c.revision and not k.holds and c.usage > 0)
        )
        and not exists (
            from held as h
            where h.source = c.source and h.dr_sid = c.dr_sid and h.payee_sid = c.payee_sid
                and h.payer_sid <> c.payer_sid and h.revision >= c.revision
        )
        and not exists (
            from written_off as x
            where x.source = c.source and x.dr_sid = c.dr_sid and x.payee_sid = c.payee_sid
        )
),

given_back as (
    select
        c.* exclude (amount, usage) replace (k.payer_sid as payer_sid),
        0::decimal(20, 10) as full_amount,
        0::decimal(18, 3) as full_usage,
        true as correction,
        (-k.amount)::decimal(20, 10) as amount,
        (-k.usage)::decimal(18, 3) as usage
    from claimed as k
    join charges as c
        on c.source = k.source and c.dr_sid = k.dr_sid and c.payee_sid = k.payee_sid
        and c.payer_sid <> k.payer_sid and c.revision > coalesce(k.revision, k.seen)
    -- Said again so that only what has changed is read: claimed revisions begin at 1.
    where c.revision > 1 and (k.amount <> 0 or k.usage <> 0)
)

select * from own
union all by name
select * from given_back
