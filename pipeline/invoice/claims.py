"""The records that a due invoice takes, and what they come to.

One pass over ``invoice.unclaimed`` collects them for all due invoices of a run in the temporary table ``taken``;
everything else (lines, days, plans, the claims file) is asked of that table. The due windows of an account do not
overlap, so no record is taken by two invoices. Where a customer has bundles or tiers, what the records draw is taken
off their amounts before anything is added up; see ``allowances``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.domain.period import Period
from pipeline.invoice.allowances import PLANS, TAKEN, AllowanceUsed, apply_allowances, needed, uses
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Calendar, Due
from pipeline.lake.duck import rows_table
from pipeline.lake.lake import Lake, Staged
from pipeline.masters.model import Masters

_INSTANT = pa.timestamp("us", "UTC")
_DUE = pa.schema(
    [
        ("invoice_sid", pa.string()),
        ("payer_sid", pa.string()),
        ("payee_sid", pa.string()),
        ("zone", pa.string()),
        ("claims_from", _INSTANT),
        ("period_start", _INSTANT),
        ("period_end", _INSTANT),
    ]
)
_OWN = pa.schema([("invoice_sid", pa.string()), ("own_start", _INSTANT), ("own_end", _INSTANT)])
_NUMBERED = pa.schema(
    [
        ("line_no", pa.int32()),
        ("correction", pa.bool_()),
        ("item_type", pa.string()),
        ("direction", pa.string()),
        ("country_code", pa.string()),
        ("own_start", _INSTANT),
    ]
)

_TAKE = """
create or replace temp table taken as
select
    d.invoice_sid, u.service, u.source, u.dr_sid, u.revision, u.payer_sid, u.payee_sid, u.date_stop,
    timezone(d.zone, u.date_stop)::date as local_day, u.date_stop >= d.period_start as in_period,
    u.correction, u.item_type, u.direction, u.country_code, o.own_start, o.own_end,
    u.plan_sid, u.plan_version, u.amount, u.usage, 0::decimal(18, 3) as included,
    not (u.correction and u.amount = 0 and u.usage = 0) as shown{more}
from invoice.unclaimed as u
join due as d
    on d.payer_sid = u.payer_sid and d.payee_sid = u.payee_sid
    and u.date_stop >= d.claims_from and u.date_stop < d.period_end
join own_periods as o
    on o.invoice_sid = d.invoice_sid and u.date_stop >= o.own_start and u.date_stop < o.own_end
{joined}
where u.date_stop >= $first and u.date_stop < $last
"""
_LINES = """
select
    invoice_sid, correction, item_type, direction, country_code, own_start, own_end,
    count(*) as records, sum(usage) as usage, sum(amount) as amount, sum(included) as included
from taken
where shown
group by all
order by all
"""
_DAYS = """
select
    invoice_sid, local_day, sum(amount),
    coalesce(sum(usage) filter (service = 'call'), 0), coalesce(sum(usage) filter (service = 'message'), 0)
from taken
where in_period
group by all
order by all
"""
_PLANS = """
select
    t.invoice_sid, t.plan_sid, t.plan_version, any_value(p.name), any_value(p.unit_rule),
    any_value(p.increment_rule), any_value(t.service), count(*)
from taken as t
left join rate.plans as p on p.plan_sid = t.plan_sid and p.plan_version = t.plan_version
where t.shown and t.plan_sid is not null
group by t.invoice_sid, t.plan_sid, t.plan_version
order by all
"""
_COUNTS = "select invoice_sid, service, count(*) from taken where shown group by all order by all"
_CLAIMS = """
select
    t.invoice_sid, coalesce(n.line_no, 0)::integer as line_no, t.service, t.source, t.dr_sid, t.revision,
    'charge' as side, t.payer_sid, t.payee_sid, t.date_stop, t.amount, t.usage
from taken as t
left join numbered as n
    on t.shown and n.correction = t.correction and n.own_start = t.own_start
    and n.item_type is not distinct from t.item_type
    and n.direction is not distinct from t.direction
    and n.country_code is not distinct from t.country_code
where t.invoice_sid = '{invoice_sid}'
order by line_no, t.date_stop, t.source, t.dr_sid
"""


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Records of one kind that an invoice takes, added up exactly. ``period`` is the usage's own; ``included`` is the
    part of ``usage`` that bundles have covered."""

    correction: bool
    item_type: str | None
    direction: str | None
    country_code: str | None
    period: Period
    records: int
    usage: Decimal
    amount: Decimal
    included: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of the period: money, billed seconds of calls, billed units of messages."""

    day: date
    amount: Decimal
    seconds: Decimal
    messages: Decimal


@dataclass(frozen=True, slots=True)
class PlanUsed:
    """A plan version that priced some of the records; the rules are those of its row in rate.plans."""

    plan_sid: str
    plan_version: str
    name: str | None
    unit_rule: str | None
    increment_rule: str | None
    service: str
    records: int


@dataclass(frozen=True, slots=True)
class Taken:
    """All that an invoice takes."""

    lines: tuple[UsageLine, ...] = ()
    days: tuple[Day, ...] = ()
    plans: tuple[PlanUsed, ...] = ()
    calls: int = 0
    messages: int = 0
    allowances: tuple[AllowanceUsed, ...] = ()


def register_due(con: Duck, calendars: Iterable[Calendar]) -> None:
    """Makes the due invoices known to DuckDB as ``due``, and their accounts' periods as ``own_periods``."""
    due, own = [], []
    for calendar in calendars:
        for d in calendar.due:
            zone = d.account.customer.time_zone
            due.append((d.invoice_sid, *d.account.key, zone, d.claims_from, d.period.start, d.period.end))
            own += [(d.invoice_sid, p.start, p.end) for p in own_periods(calendar, d)]
    con.register("due", rows_table(due, _DUE))
    con.register("own_periods", rows_table(own, _OWN))


def own_periods(calendar: Calendar, due: Due) -> list[Period]:
    """The periods that usage on an invoice may belong to: its own, and the account's closed ones before it."""
    earlier = [p for p in calendar.periods if p.start < due.period.start]
    # A changed anchor day may have cut the due period short: the one before it ends where that begins.
    return [Period(p.start, min(p.end, due.period.start)) for p in earlier] + [due.period]


def take(lake: Lake, con: Duck, due: Sequence[Due], masters: Masters) -> dict[str, Taken]:
    """Collects the records of these invoices into ``taken``; what each of them takes, by invoice_sid."""
    window = {"first": min(d.claims_from for d in due), "last": max(d.period.end for d in due)}
    drawn: dict[str, list[AllowanceUsed]] = {}
    if needed(lake, masters):
        con.execute(_TAKE.format(more=TAKEN, joined=PLANS), window)
        apply_allowances(con, due, masters)
        drawn = uses(con)
    else:
        con.execute(_TAKE.format(more="", joined=""), window)
    lines, days, plans = _by_invoice(con, _LINES), _by_invoice(con, _DAYS), _by_invoice(con, _PLANS)
    counts = {sid: dict(rows) for sid, rows in _by_invoice(con, _COUNTS).items()}
    return {
        d.invoice_sid: Taken(
            tuple(_usage_line(*row) for row in lines.get(d.invoice_sid, ())),
            tuple(Day(*row) for row in days.get(d.invoice_sid, ())),
            tuple(PlanUsed(*row) for row in plans.get(d.invoice_sid, ())),
            counts.get(d.invoice_sid, {}).get("call", 0),
            counts.get(d.invoice_sid, {}).get("message", 0),
            tuple(drawn.get(d.invoice_sid, ())),
        )
        for d in due
    }


def stage_claims(lake: Lake, con: Any, invoice_sid: str, numbers: Mapping[UsageLine, int]) -> Staged:
    """Writes the claims of one invoice, each with the number of its line."""
    rows = [
        (n, line.correction, line.item_type, line.direction, line.country_code, line.period.start)
        for line, n in numbers.items()
    ]
    con.register("numbered", rows_table(rows, _NUMBERED))
    return lake.stage_query(con, "invoice/claims", invoice_sid, _CLAIMS.format(invoice_sid=invoice_sid))


def _usage_line(
    correction: bool,
    item_type: str | None,
    direction: str | None,
    country: str | None,
    start: datetime,
    end: datetime,
    records: int,
    usage: Decimal,
    amount: Decimal,
    included: Decimal,
) -> UsageLine:
    return UsageLine(
        correction,
        item_type,
        direction,
        country,
        Period(start.astimezone(UTC), end.astimezone(UTC)),
        records,
        usage,
        amount,
        included,
    )


def _by_invoice(con: Duck, query: str) -> dict[str, list[tuple]]:
    grouped: dict[str, list[tuple]] = {}
    for sid, *row in con.execute(query).fetchall():
        grouped.setdefault(sid, []).append(tuple(row))
    return grouped
