-- invoice/adjusting, second step: what each record of the what-if would have cost more or less, at the plan's price.
--
-- Grain:  one row per record and payer of the what-if.
-- Reads:  asked, billed
-- left_out says why a record is not adjusted.
select
    a.service, a.source, a.dr_sid, a.revision, a.payer_sid, a.payee_sid, a.date_stop, b.of_invoice_sid, b.of_line_no,
    a.after_plan_sid as plan_sid, a.after_plan_version as plan_version,
    case
        when b.dr_sid is null then 'not billed yet'
        when not b.issued then 'on a draft'
        when b.revision <> a.revision then 'a newer revision waits'
        when a.difference is null then 'no price'
    end as left_out,
    (a.after - b.amount)::decimal(20, 10) as amount,
    (a.after_usage - b.usage)::decimal(18, 3) as usage
from asked as a
left join billed as b using (source, dr_sid, payer_sid, payee_sid)
