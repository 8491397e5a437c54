"""``bundles.csv`` and ``tiers.csv``: included usage, and prices by the volume of a period.

One row is one bundle or tier of one customer, or of everybody (``*``); a customer's own row takes the place of
everybody's with the same key. Quantities are billed seconds of calls, or units (segments times recipients) of
messages. ``steps`` reads like a deck's: ``36000:-5%;180000:-10%`` or ``36000:0.008;180000:0.006``.
"""

import re
from datetime import UTC, tzinfo
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from pipeline.domain.allowances import (
    AMOUNT,
    CUSTOMER,
    MARGINAL,
    NUMBER,
    RETROACTIVE,
    USAGE,
    Bundle,
    Scope,
    Tier,
    TierStep,
)
from pipeline.domain.rate_plan import EVERYONE
from pipeline.masters.model import Customer
from pipeline.masters.overlaps import unique
from pipeline.masters.reading import Problems, Row, csv_rows, zone_or_none
from pipeline.masters.vocabulary import COUNTRIES, DIRECTIONS, ITEM_TYPES, SERVICES

_SCOPE = ("service", "direction", "items", "countries", "prefixes", "per", "order", "start", "end")
BUNDLE_COLUMNS = ("bundle", "name", "partner_sid", "quantity", *_SCOPE)
TIER_COLUMNS = ("tier", "name", "partner_sid", "steps", "measure", "rule", "unit_seconds", *_SCOPE)
_KEY = r"[a-z0-9][a-z0-9_-]{0,59}"
_STEP = re.compile(r"(\d{1,12}(?:\.\d{1,3})?):(?:(-?\d{1,4}(?:\.\d{1,4})?)%|(\d{1,6}(?:\.\d{1,12})?))")
_STEPS = (
    "volumes in rising order with a percentage or a price each, like 36000:-5%;180000:-10% or 36000:0.008"
)


def read_bundles(folder: Path, customers: dict[str, Customer], problems: Problems) -> tuple[Bundle, ...]:
    """The bundles of a folder of master files; problems are noted with their lines."""
    required = ("bundle", "partner_sid", "quantity", "service")
    rows = csv_rows(folder / "bundles.csv", BUNDLE_COLUMNS, required, problems)
    read = [(row, _bundle(row, customers)) for row in rows]
    return tuple(unique(read, lambda b: (b.partner_sid, b.key), "bundle {key[1]!r} of {key[0]!r}"))


def read_tiers(folder: Path, customers: dict[str, Customer], problems: Problems) -> tuple[Tier, ...]:
    """The tiers, likewise."""
    required = ("tier", "partner_sid", "steps", "service")
    rows = csv_rows(folder / "tiers.csv", TIER_COLUMNS, required, problems)
    read = [(row, _tier(row, customers)) for row in rows]
    return tuple(unique(read, lambda t: (t.partner_sid, t.key), "tier {key[1]!r} of {key[0]!r}"))


def _bundle(row: Row, customers: dict[str, Customer]) -> Bundle:
    key = row.matching("bundle", _KEY, "a short name in small letters, like start-2000", required=True)
    partner = _partner(row, customers)
    return Bundle(
        key=key,
        name=row.text("name", key),
        partner_sid=partner,
        scope=_scope(row, partner, customers),
        quantity=_quantity(row),
        order=row.integer("order", 0, 9999, 0),
    )


def _tier(row: Row, customers: dict[str, Customer]) -> Tier:
    key = row.matching("tier", _KEY, "a short name in small letters, like volume-2026", required=True)
    partner = _partner(row, customers)
    measure = row.choice("measure", (USAGE, AMOUNT), USAGE)
    steps = _steps(row)
    if measure == AMOUNT and any(step.price is not None for step in steps):
        row.wrong("steps", "holds prices, which go by usage; with measure amount, valid are percentages")
    scope = _scope(row, partner, customers)
    return Tier(
        key=key,
        name=row.text("name", key),
        partner_sid=partner,
        scope=scope,
        steps=steps,
        measure=measure,
        rule=row.choice("rule", (MARGINAL, RETROACTIVE), MARGINAL),
        unit=Decimal(row.integer("unit_seconds", 1, 86_400, 60 if scope.service == "call" else 1)),
        order=row.integer("order", 0, 9999, 0),
    )


def _partner(row: Row, customers: dict[str, Customer]) -> str:
    return row.choice("partner_sid", (*customers, EVERYONE), required=True)


def _scope(row: Row, partner: str, customers: dict[str, Customer]) -> Scope:
    """A bare date is midnight where the customer is; for ``*`` in UTC."""
    customer = customers.get(partner)
    zone: tzinfo = (zone_or_none(customer.time_zone) if customer else None) or UTC
    start, end = row.instant("start", zone), row.instant("end", zone)
    row.interval(start, end)
    return Scope(
        service=row.choice("service", SERVICES, required=True),
        direction=row.choice("direction", DIRECTIONS),
        items=row.words("items", ITEM_TYPES),
        countries=row.words("countries", COUNTRIES),
        prefixes=_prefixes(row),
        per=row.choice("per", (CUSTOMER, NUMBER), CUSTOMER),
        start=start,
        end=end,
    )


def _prefixes(row: Row) -> tuple[str, ...]:
    found = row.words("prefixes")
    for prefix in found:
        if not re.fullmatch(r"[0-9]{1,18}", prefix):
            row.wrong("prefixes", f"holds {prefix!r}; valid are digits like 44 or 1212")
    return found


def _quantity(row: Row) -> Decimal:
    value = row.text("quantity", required=True)
    if not value:
        return Decimal(0)
    if not re.fullmatch(r"\d{1,12}(\.\d{1,3})?", value) or not Decimal(value):
        what = "seconds of calls or units of messages, more than 0, like 120000 (2,000 minutes)"
        row.wrong("quantity", f"is {value!r}; valid are {what}")
        return Decimal(0)
    return Decimal(value)


def _steps(row: Row) -> tuple[TierStep, ...]:
    value = row.text("steps", required=True).replace(" ", "")
    matches = [_STEP.fullmatch(part) for part in value.split(";")] if value else []
    steps = [_step(match) for match in matches if match]
    rising = all(a.after < b.after for a, b in pairwise(steps))
    alike = len({step.price is None for step in steps}) <= 1
    sane = all(step.percent is None or -100 <= step.percent <= 1000 for step in steps)
    if len(steps) < len(matches) or not (rising and alike and sane):
        row.wrong("steps", f"is {value!r}; valid are {_STEPS}")
        return ()
    return tuple(steps)


def _step(match: re.Match[str]) -> TierStep:
    after, percent, price = match.groups()
    return TierStep(Decimal(after), Decimal(price) if price else None, Decimal(percent) if percent else None)
