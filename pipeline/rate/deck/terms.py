"""The terms of a deck's plan: said by whoever imports it, by columns of the file, or by the default, in that order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from zoneinfo import ZoneInfo

from pipeline.domain.rate_plan import (
    BASE_ROUNDINGS,
    BILLABLE_BASES,
    INCREMENT_RULES,
    MATCH_FIELDS,
    RatePlan,
    unit_of,
)
from pipeline.domain.rounding import MODES
from pipeline.domain.windows import Window
from pipeline.rate.deck.header import Header
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.sheet import Line
from pipeline.rate.deck.windows import windows_in_words, windows_said

DEFAULTS = {
    "service": "call",
    "direction": "",
    "family": "",
    "currency": "USD",
    "unit_rule": "fixed:60",
    "increment_rule": "after_minimum",
    "billable_base": "talk",
    "match_field": "number_dst",
    "rounding_mode": "half_up",
    "rounding_decimals": "10",
    "billable_statuses": ",".join(RatePlan.billable_statuses),
    "time_zone": "UTC",
    "windows": "",
    "base_rounding": "exact",
}
_SID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
# Said, even where it is the default: an import that says so contradicts a file that says otherwise.
_NEVER_SILENT = ("service", "direction", "currency", "increment_rule", "rounding_mode", "rounding_decimals")


@dataclass(frozen=True, slots=True)
class DeckOptions:
    """How a deck file is to be read, and as which version of which plan.

    Empty texts of ``service``, ``currency``, ``increment_rule``, ``rounding_mode`` and ``rounding_decimals`` None
    leave the choice to the file's own column, and without one to the default: calls, USD, ``after_minimum``, half-up
    to 10 decimals; so do the defaults of the others. Empty ``direction`` and ``family`` cover any. ``strict`` asks for
    an end date wherever another row of the key begins later, see ``supersede``.
    """

    plan_sid: str
    effective_from: datetime
    name: str = ""
    service: str = ""
    direction: str = ""
    family: str = ""
    currency: str = ""
    unit_rule: str = "fixed:60"
    increment_rule: str = ""
    billable_base: str = "talk"
    match_field: str = "number_dst"
    rounding_mode: str = ""
    rounding_decimals: int | None = None
    billable_statuses: tuple[str, ...] = ()
    time_zone: str = ""
    windows: tuple[Window, ...] = ()
    base_rounding: str = ""
    strict: bool = False
    layout: Layout = field(default_factory=Layout)


def inheriting(options: DeckOptions, plan: RatePlan) -> DeckOptions:
    """The options, with a plan's own terms where they say nothing."""
    said = _said(options)
    names = [name for name in DEFAULTS if not said[name]]
    kept = {name: getattr(plan, name) or getattr(options, name) for name in names}
    return replace(options, **kept, name=options.name or plan.name)


def plan_of(header: Header, body: Sequence[Line], options: DeckOptions, problems: Problems) -> RatePlan:
    """The plan without its rates."""
    stated = {name: _uniform(name, header, body, problems) for name in DEFAULTS if name in header.at}
    if header.currency:
        stated["currency"] = stated.get("currency") or header.currency
    said = _said(options)
    for name, value in stated.items():
        if value and said[name] and value != said[name]:
            problems.add(f"column {name}: the file says {value!r} and the import {said[name]!r}")
    terms = {name: said[name] or stated.get(name) or default for name, default in DEFAULTS.items()}
    decimals = terms["rounding_decimals"]
    plan = RatePlan(
        plan_sid=options.plan_sid,
        version="",
        service=terms["service"],
        currency=terms["currency"],
        direction=terms["direction"] or None,
        family=terms["family"] or None,
        name=options.name or options.plan_sid,
        unit_rule=terms["unit_rule"],
        increment_rule=terms["increment_rule"],
        billable_base=terms["billable_base"],
        match_field=terms["match_field"],
        rounding_mode=terms["rounding_mode"],
        rounding_decimals=int(decimals) if decimals.isdecimal() else -1,
        billable_statuses=tuple(terms["billable_statuses"].split(",")),
        effective_from=options.effective_from,
        time_zone=terms["time_zone"],
        windows=_windows(terms["windows"], problems),
        base_rounding=terms["base_rounding"],
    )
    _check_plan(plan, problems)
    return plan


def terms_text(plan: RatePlan) -> dict[str, str]:
    """The terms as a deck's columns have them; the inverse of reading them."""
    return {
        name: ",".join(plan.billable_statuses)
        if name == "billable_statuses"
        else windows_in_words(plan.windows)
        if name == "windows"
        else str(getattr(plan, name) or "")
        if name != "rounding_decimals"
        else str(plan.rounding_decimals)
        for name in DEFAULTS
    }


def _said(options: DeckOptions) -> dict[str, str]:
    """What the import says itself; empty where it leaves the choice to the file."""
    said = {name: str(getattr(options, name) or "") for name in DEFAULTS}
    said["rounding_decimals"] = "" if options.rounding_decimals is None else str(options.rounding_decimals)
    said["billable_statuses"] = ",".join(options.billable_statuses)
    said["windows"] = windows_in_words(options.windows)
    return {n: "" if v == DEFAULTS[n] and n not in _NEVER_SILENT else v for n, v in said.items()}


def _uniform(name: str, header: Header, body: Sequence[Line], problems: Problems) -> str:
    at = header.at[name]
    found = {line.cells[at]: line.number for line in reversed(body) if len(line.cells) > at}
    values = {text.strip(): number for text, number in sorted(found.items(), key=itemgetter(1), reverse=True)}
    for nothing in ("", header.theirs[name]):
        values.pop(nothing, None)
    if len(values) > 1:
        first, second = sorted(values.items(), key=lambda item: item[1])[:2]
        problems.add(
            f"line {second[1]}: {name} {second[0]!r} differs from {first[0]!r} above; it must be one for the plan"
        )
    return next(iter(values), "")


def _windows(text: str, problems: Problems) -> tuple[Window, ...]:
    try:
        return windows_said(text)
    except ValueError as error:
        problems.add(f"windows: {error}")
        return ()


def _check_plan(plan: RatePlan, problems: Problems) -> None:
    choices: tuple[tuple[str, object, Iterable[object]], ...] = (
        ("service", plan.service, ("call", "message")),
        ("direction", plan.direction or "inbound", ("inbound", "outbound")),
        ("increment_rule", plan.increment_rule, INCREMENT_RULES),
        ("billable_base", plan.billable_base, BILLABLE_BASES),
        ("match_field", plan.match_field, MATCH_FIELDS),
        ("rounding_mode", plan.rounding_mode, MODES),
        ("rounding_decimals", plan.rounding_decimals, range(11)),
        ("base_rounding", plan.base_rounding, BASE_ROUNDINGS),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            problems.add(f"{name} {value!r} is none of {', '.join(map(str, allowed))}")
    if not _SID.match(plan.plan_sid):
        problems.add(f"plan name {plan.plan_sid!r}: use letters, digits, '.', '_' and '-' only")
    if not re.fullmatch("[A-Z]{3}", plan.currency):
        problems.add(f"currency {plan.currency!r} is no ISO 4217 code such as USD")
    try:
        unit_of(plan.unit_rule, Decimal(1))
    except ValueError as error:
        problems.add(str(error))
    try:
        ZoneInfo(plan.time_zone)
    except (ValueError, OSError, KeyError):
        problems.add(f"time_zone {plan.time_zone!r} is no name of the IANA database like Europe/Berlin")
