"""What a what-if comes to once bundles and tiers have been drawn on.

A record that costs less leaves a tier by money lower; one that is billed in longer increments empties a bundle sooner,
and the next one pays for it. So customers with bundles or tiers are drawn anew over whole periods, with all of their
records, on both sides, by the rules of ``domain/draws``, and compared as sums: no difference of one record says it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipeline.domain.allowances import NUMBER, Charge, held_by
from pipeline.domain.draws import draw
from pipeline.domain.money import add
from pipeline.domain.period import Period, day_start, period_after, period_at
from pipeline.lake.lake import Lake
from pipeline.masters.model import Customer, Masters
from pipeline.rate.preview import MOST, charges_of

_MOVED = """
select
    source, dr_sid, after_status, date_stop, service, coalesce(direction, ''), coalesce(item_type, ''), country_code,
    coalesce(after_number, ''), after_usage, after, coalesce(after_price, 0), after_unit_seconds::decimal(18, 3),
    coalesce(after_fee, 0), after_rounding_mode, after_rounding_decimals
from records
where payer_sid = $payer and date_stop >= $first and date_stop < $last
"""
_PAYERS = (
    "select payer_sid, min(date_stop), max(date_stop) from records group by payer_sid order by payer_sid"
)


@dataclass(frozen=True, slots=True)
class Redrawn:
    """All usage of one customer and period after bundles and tiers, on both sides; None where too many records share
    them to be drawn here."""

    payer_sid: str
    currency: str
    start: datetime
    end: datetime
    records: int
    before: Decimal | None
    after: Decimal | None
    difference: Decimal | None


def redrawn(lake: Lake, con: Any, masters: Masters, bill_from: date | None) -> tuple[Redrawn, ...]:
    """The customers and periods that the view ``records`` touches, as far as they have bundles or tiers."""
    found: list[Redrawn] = []
    for payer_sid, first, last in con.execute(_PAYERS).fetchall():
        customer = masters.customers.get(payer_sid)
        if customer is None or not masters.allowances(payer_sid):
            continue
        for period in _periods(customer, bill_from, first.astimezone(UTC), last.astimezone(UTC)):
            found.append(_compared(lake, con, masters, customer, period))
    return tuple(found)


def _periods(customer: Customer, bill_from: date | None, first: datetime, last: datetime) -> list[Period]:
    zone, anchor, began = customer.time_zone, customer.anchor_day, customer.bill_from or bill_from
    period = period_at(zone, anchor, began, max(first, day_start(began, zone)) if began else first)
    found: list[Period] = []
    while period and period.start <= last:
        found.append(period)
        period = period_after(period, zone, anchor)
    return found


def _compared(lake: Lake, con: Any, masters: Masters, customer: Customer, period: Period) -> Redrawn:
    sid = customer.partner_sid
    numbered = any(a.scope.per == NUMBER for a in masters.allowances(sid))
    before = charges_of(lake, sid, period, own_numbers=numbered)
    here = (sid, customer.currency, period.start, period.end, len(before))
    if len(before) > MOST:
        return Redrawn(*here, None, None, None)
    own = {(c.source, c.dr_sid): c.own_number for c in before}
    asked = {"payer": sid, "first": period.start, "last": period.end}
    moved = {row[:2]: _moved(row, own.get(row[:2], "")) for row in con.execute(_MOVED, asked).fetchall()}
    stays = [c for c in before if (c.source, c.dr_sid) not in moved]
    after = [*stays, *(charge for charge in moved.values() if charge)]
    was, would_be = _sum(before, masters, sid), _sum(after, masters, sid)
    return Redrawn(*here, was, would_be, add((would_be, -was)))


def _moved(row: tuple, own_number: str) -> Charge | None:
    """A record as the candidate has it; None where that gives it no price."""
    source, sid, status, at, service, direction, item, country, number, *priced = row
    if status != "rated":
        return None
    return Charge(
        *(source, sid, at.astimezone(UTC), service, direction, item, country, number, own_number), *priced
    )


def _sum(charges: Sequence[Charge], masters: Masters, payer_sid: str) -> Decimal:
    drawn = draw(charges, held_by(payer_sid, masters.bundles), held_by(payer_sid, masters.tiers), {})
    return add(amount for charge, draws in drawn for amount in (charge.amount, *(d.amount for d in draws)))
