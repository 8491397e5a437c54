"""Puts one invoice together: its lines, its taxes, and the snapshot of all else that its document says.

The snapshot freezes the customer, the seller, the address, the days and the sentences about how it was computed, so
that a document made next year reads as it did on the day of issue, whatever the master files say by then.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.period import days_of, last_day
from pipeline.domain.tax import Assessment, Supply, Taxer, Unplaced, of_rule
from pipeline.invoice.adjustments import Pending, adjustment_item
from pipeline.invoice.allowances import AllowanceUsed
from pipeline.invoice.charges import Use, charge_lines, use_lines
from pipeline.invoice.claims import Day, PlanUsed, Taken, UsageLine, own_periods
from pipeline.invoice.discounts import commitment_lines, discount_lines
from pipeline.invoice.due import Calendar, Due
from pipeline.invoice.gate import Standing
from pipeline.invoice.lines import allowance_note, ordered, usage_item
from pipeline.invoice.parts import History, Line, Part
from pipeline.invoice.recipients import Partner, bill_to, emails
from pipeline.invoice.rent import Holding, rent_lines
from pipeline.masters.model import Masters

_INCREMENTS = {
    "total": "the whole call rounded up to increments, at least the minimum",
    "after_minimum": "the minimum, then increments after it",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that is put together and not yet on record.

    ``numbers`` says which line took which usage, ``adjusted`` which adjustment (by its id) is on which line, ``parts``
    what the other lines are made of.
    """

    due: Due
    items: tuple[Item, ...]
    taxes: tuple[TaxItem, ...]
    snapshot: str
    numbers: Mapping[UsageLine, int]
    adjusted: Mapping[int, int]
    allowances: tuple[AllowanceUsed, ...] = ()
    parts: tuple[tuple[int, Part], ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What drafts of one run share: master data, and what the lake knows of partners, countries, numbers, uses of
    features (by invoice_sid) and earlier charges."""

    taxer: Taxer
    masters: Masters
    calendars: Mapping[tuple[str, str], Calendar]
    history: History
    uses: Mapping[str, Sequence[Use]]
    partners: Mapping[str, Partner]
    countries: Mapping[str, str]
    numbers: Mapping[tuple[str, str], Sequence[Holding]]
    standings: Mapping[str, Sequence[Standing]]


def draft(
    due: Due, taken: Taken, around: Surroundings, waiting: Sequence[Pending] = ()
) -> Draft | Unplaced | None:
    """The draft of a due invoice; None where there is nothing to bill, ``Unplaced`` where its place is unknown."""
    made = _lines(due, taken, around, waiting)
    items = _items(made)
    if not items:
        return None
    taxes = around.taxer(_supply(due, items))
    if isinstance(taxes, Unplaced):
        return taxes
    said = _snapshot(due, taken, taxes, around)
    numbers: dict[UsageLine, int] = {}
    adjusted: dict[int, int] = {}
    parts: list[tuple[int, Part]] = []
    number = 0
    for line, source in made:
        number += line.item is not None
        parts += [(number if line.item else 0, part) for part in line.parts]
        if isinstance(source, UsageLine):
            numbers[source] = number
        elif source is not None:
            adjusted[source.adjustment_id] = number
    return Draft(
        due, tuple(items), taxes.items, said, numbers, adjusted, taken.allowances, parts=tuple(parts)
    )


def _lines(
    due: Due, taken: Taken, around: Surroundings, waiting: Sequence[Pending]
) -> list[tuple[Line, UsageLine | Pending | None]]:
    """The lines in their order, each with the usage or the adjustment that it stands for: what the period cost, then
    what comes late, what a person has added, and at last what goes by all these."""
    masters, key, countries = around.masters, due.account.key, around.countries
    usage = [
        (Line(usage_item(u, due.period, due.account.customer.currency, countries), ()), u)
        for u in ordered(taken.lines, due.period, countries)
    ]
    own = sum(1 for _, u in usage if not u.correction and u.period == due.period)
    before = around.history.of(key)
    charged = [
        *rent_lines(due, around.numbers.get(key, ()), masters.did_prices),
        *use_lines(due, around.uses.get(due.invoice_sid, ()), masters),
        *charge_lines(due, own_periods(around.calendars[key], due), masters, before),
    ]
    made: list[tuple[Line, UsageLine | Pending | None]] = [
        *usage[:own],
        *((line, None) for line in charged),
        *usage[own:],
        *((Line(adjustment_item(w, due.period), ()), w) for w in waiting),
    ]
    made += [(line, None) for line in discount_lines(due, _items(made), masters)]
    made += [(line, None) for line in commitment_lines(due, _items(made), masters, before)]
    return made


def _items(made: Iterable[tuple[Line, object]]) -> list[Item]:
    return [line.item for line, _ in made if line.item is not None]


def _supply(due: Due, items: Sequence[Item]) -> Supply:
    customer = due.account.customer
    return Supply(
        items=items,
        partner_sid=customer.partner_sid,
        place=customer.place,
        tax_point=last_day(due.period, customer.time_zone),
        own_days=tuple(last_day(item.period, customer.time_zone) for item in items),
        currency=customer.currency,
        seller_country=due.account.seller.country,
        tax_id=customer.tax_id,
        exempt=customer.tax_exempt,
        seller=customer.seller,
    )


def _snapshot(due: Due, taken: Taken, taxes: Assessment, around: Surroundings) -> str:
    customer, seller = due.account.customer, due.account.seller
    partner = around.partners.get(customer.partner_sid, {})
    content = {
        "customer": asdict(customer),
        "seller": asdict(seller),
        "bill_to": bill_to(customer, partner, around.countries),
        "recipients": emails(customer, partner),
        "days": _days(due, taken.days),
        "plans": [_plan(plan) for plan in taken.plans],
        "notes": [
            *_notes(due, taken.plans, taxes),
            *(allowance_note(a, due.period, customer.currency, customer.time_zone) for a in taken.allowances),
        ],
        "not_billed": _not_billed(around.standings.get(due.invoice_sid, ())),
        "records": {"calls": taken.calls, "messages": taken.messages},
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False, default=_text)


def _days(due: Due, found: Iterable[Day]) -> list[dict[str, Any]]:
    by_day = {d.day: d for d in found}
    nothing = Decimal(0)
    rows = (by_day.get(d, Day(d, nothing, nothing, nothing)) for d in _calendar_days(due))
    return [
        {
            "date": row.day.isoformat(),
            "amount": f"{row.amount:f}",
            "seconds": f"{row.seconds:f}",
            "messages": int(row.messages),
        }
        for row in rows
    ]


def _calendar_days(due: Due) -> tuple[date, ...]:
    return days_of(due.period, due.account.customer.time_zone)


def _plan(plan: PlanUsed) -> dict[str, Any]:
    message = plan.service == "message"
    return {
        "plan_sid": plan.plan_sid,
        "plan_version": plan.plan_version,
        "name": plan.name or plan.plan_sid,
        "unit": "per segment and recipient" if message else _unit(plan.unit_rule),
        "increments": "segments" if message else _INCREMENTS.get(plan.increment_rule or "", ""),
        "records": plan.records,
    }


def _unit(rule: str | None) -> str:
    if rule and rule.startswith("fixed:"):
        return f"per {rule.removeprefix('fixed:')} seconds"
    return "per billing minimum" if rule == "minimum" else ""


def _notes(due: Due, plans: Sequence[PlanUsed], taxes: Assessment) -> list[str]:
    customer = due.account.customer
    notes = [
        f"The period runs from midnight to midnight in {customer.time_zone}.",
        "A call belongs to it by the time it ended, a message by the time it was recorded.",
        "Each record is priced with ten decimals. Each line is rounded once, half up; totals add up rounded lines.",
    ]
    if any(plan.service == "call" for plan in plans):
        notes.append("Calls are billed from answer to hang-up; unanswered calls are free.")
    if any(plan.service == "message" for plan in plans):
        notes.append("Messages are billed by segments times recipients.")
    if not customer.tax_exempt:
        tax_point = last_day(due.period, customer.time_zone)
        notes.append(
            f"Taxes are those in force on {tax_point}, each rounded once over the lines it applies to."
        )
        if any(of_rule(tax.rule, tax_point)[0] != tax.rule for tax in taxes.items):
            notes.append("Lines of earlier periods bear the value added tax of those periods.")
    return notes + list(taxes.notes)


def _not_billed(standings: Iterable[Standing]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for s in standings:
        if s.status != "rated" and s.in_period:
            reason = s.reason or s.status
            counts[reason] = counts.get(reason, 0) + s.records
    return [{"reason": reason, "records": records} for reason, records in sorted(counts.items())]


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    msg = f"not for a snapshot: {type(value).__name__}"
    raise TypeError(msg)
