"""Reads a rate deck in the canonical CSV format into a plan of the domain, or says everything that is wrong with it.

Standard library only, and one reader for the import and for ``quote --plan-file``, so that both always agree. Every
field is text until it has been checked: spreadsheets turn prefixes into ``4.4E+11`` and readers that guess types drop
leading zeros. The same few texts repeat over 100,000 rows, so each is checked once and remembered.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from pipeline.domain.rate_plan import (
    BILLABLE_BASES,
    DEFAULT_INCREMENT,
    INCREMENT_RULES,
    MATCH_FIELDS,
    Key,
    Rate,
    RatePlan,
    match_key,
    unit_of,
)
from pipeline.domain.rounding import MODES
from pipeline.errors import DeckError
from pipeline.rate.deckfields import (
    Fields,
    blocked,
    country,
    instant,
    money,
    network,
    positive_seconds,
    prefix,
    seconds,
)

COLUMNS = (
    *("prefix", "country_code", "country_name", "billing_increment", "billing_minimum", "price"),
    *("unit_seconds", "connect_fee", "grace_seconds", "increment_rule", "rounding_mode", "rounding_decimals"),
    *("effective_date", "end_date", "status", "service", "direction", "origin_prefix", "jurisdiction"),
    *("mcc", "mnc", "currency"),
)
PLAN_COLUMNS = ("service", "direction", "currency", "increment_rule", "rounding_mode", "rounding_decimals")
LATER_COLUMNS = ("origin_prefix", "jurisdiction")
MOST_PROBLEMS = 1000
_SHOWN = 5
_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_SID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")


@dataclass(frozen=True, slots=True)
class DeckOptions:
    """How a deck file is to be read, and as which version of which plan.

    Empty texts of ``service``, ``currency``, ``increment_rule``, ``rounding_mode`` and ``rounding_decimals`` None
    leave the choice to the file's own column, and without one to the default: calls, USD, ``after_minimum``, half-up
    to 10 decimals. Empty ``direction`` and ``family`` cover any.
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


@dataclass(slots=True)
class _Problems:
    found: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if len(self.found) < MOST_PROBLEMS:
            self.found.append(text)

    def raise_if_any(self, name: str) -> None:
        if not self.found:
            return
        shown = "; ".join(self.found[:_SHOWN])
        more = f" (and {len(self.found) - _SHOWN} more)" if len(self.found) > _SHOWN else ""
        msg = f"{name} was refused, nothing of it was taken: {shown}{more}. Correct the file and import it again."
        raise DeckError(msg, tuple(self.found))


def read_deck(path: Path, options: DeckOptions) -> RatePlan:
    """Reads a deck file whole.

    Raises:
        DeckError: its ``problems`` name every line that is wrong, and how.
    """
    problems = _Problems()
    rows = list(_rows(path, problems))
    problems.raise_if_any(path.name)
    header, body = _header(rows, problems)
    problems.raise_if_any(path.name)
    plan = _plan(header, body, options, problems)
    problems.raise_if_any(path.name)
    lines, rates = _rates(header, body, plan, problems)
    _refuse_overlaps(plan.service, lines, rates, problems)
    problems.raise_if_any(path.name)
    return replace(plan, rates=tuple(rates), version=_version(plan, rates, options.effective_from))


def _rows(path: Path, problems: _Problems) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Name a deck file in CSV format."
        raise DeckError(msg) from None
    except UnicodeDecodeError as error:
        problems.add(f"byte {error.start} is not UTF-8: save the file as 'CSV UTF-8'")
        return
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        problems.add(f"line {reader.line_num}: {error}")


def _header(
    rows: list[tuple[int, list[str]]], problems: _Problems
) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    if not rows:
        problems.add("line 1: the file is empty; its first line must name the columns")
        return {}, []
    names = [name.strip().lower() for name in rows[0][1]]
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        problems.add(
            "line 1: the columns are not separated by commas: save the file as 'CSV (comma separated)'"
        )
        return {}, []
    _check_names(names, problems)
    if len(rows) == 1:
        problems.add("line 2: there is no rate")
    for line, row in rows[1:]:
        if len(row) != len(names):
            problems.add(f"line {line}: {len(row)} fields where the header has {len(names)}")
    return {name: n for n, name in enumerate(names)}, rows[1:]


def _check_names(names: list[str], problems: _Problems) -> None:
    for name in names:
        if name not in COLUMNS:
            problems.add(f"line 1: unknown column {name!r}; there are {', '.join(COLUMNS)}")
        elif names.count(name) > 1:
            problems.add(f"line 1: column {name!r} is there twice")
    if "price" not in names:
        problems.add("line 1: there is no column 'price'")
    if not {"prefix", "mcc", "country_code"} & set(names):
        problems.add("line 1: there is no column 'prefix' (messages: 'mcc' or 'country_code')")


def _plan(
    header: dict[str, int], body: list[tuple[int, list[str]]], options: DeckOptions, problems: _Problems
) -> RatePlan:
    stated = {name: _uniform(name, header, body, problems) for name in PLAN_COLUMNS if name in header}
    decimals = "" if options.rounding_decimals is None else str(options.rounding_decimals)
    given = {
        "service": options.service,
        "direction": options.direction,
        "currency": options.currency,
        "increment_rule": options.increment_rule,
        "rounding_mode": options.rounding_mode,
        "rounding_decimals": decimals,
    }
    for name, value in stated.items():
        if value and given[name] and value != given[name]:
            problems.add(f"column {name}: the file says {value!r} and the import {given[name]!r}")
    terms = {name: given[name] or stated.get(name, "") for name in PLAN_COLUMNS}
    decimals = terms["rounding_decimals"] or "10"
    plan = RatePlan(
        plan_sid=options.plan_sid,
        version="",
        service=terms["service"] or "call",
        currency=terms["currency"] or "USD",
        direction=terms["direction"] or None,
        family=options.family or None,
        name=options.name or options.plan_sid,
        unit_rule=options.unit_rule,
        increment_rule=terms["increment_rule"] or "after_minimum",
        billable_base=options.billable_base,
        match_field=options.match_field,
        rounding_mode=terms["rounding_mode"] or "half_up",
        rounding_decimals=int(decimals) if decimals.isdecimal() else -1,
        billable_statuses=options.billable_statuses or RatePlan.billable_statuses,
        effective_from=options.effective_from,
    )
    _check_plan(plan, problems)
    return plan


def _uniform(
    name: str, header: dict[str, int], body: list[tuple[int, list[str]]], problems: _Problems
) -> str:
    values = {row[header[name]].strip(): line for line, row in reversed(body)}
    if len(values) > 1:
        first, second = sorted(values.items(), key=lambda item: item[1])[:2]
        problems.add(
            f"line {second[1]}: {name} {second[0]!r} differs from {first[0]!r} above; it must be one for the plan"
        )
    return next(iter(values), "")


def _check_plan(plan: RatePlan, problems: _Problems) -> None:
    choices: tuple[tuple[str, object, Iterable[object]], ...] = (
        ("service", plan.service, ("call", "message")),
        ("direction", plan.direction or "inbound", ("inbound", "outbound")),
        ("increment_rule", plan.increment_rule, INCREMENT_RULES),
        ("billable_base", plan.billable_base, BILLABLE_BASES),
        ("match_field", plan.match_field, MATCH_FIELDS),
        ("rounding_mode", plan.rounding_mode, MODES),
        ("rounding_decimals", plan.rounding_decimals, range(11)),
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


def _rates(
    header: dict[str, int], body: list[tuple[int, list[str]]], plan: RatePlan, problems: _Problems
) -> tuple[list[int], list[Rate]]:
    lines, rates = [], []
    for line, row in body:
        fields = Fields(header, row)
        rate = _rate(fields, plan)
        for text in fields.wrong:
            problems.add(f"line {line}: {text}")
        if not fields.wrong:
            lines.append(line)
            rates.append(rate)
    return lines, rates


def _rate(fields: Fields, plan: RatePlan) -> Rate:
    for name in LATER_COLUMNS:
        if fields.text(name):
            fields.wrong.append(
                f"{name} {fields.text(name)!r} cannot be rated by this version: leave it empty"
            )
    minimum = fields.get("billing_minimum", seconds, Decimal(0))
    rate = Rate(
        price=fields.get("price", money, None),
        prefix=fields.get("prefix", prefix, ""),
        country_code=fields.get("country_code", country, None),
        mcc=fields.get("mcc", network, None),
        mnc=fields.get("mnc", network, None),
        increment=fields.get("billing_increment", seconds, DEFAULT_INCREMENT) or DEFAULT_INCREMENT,
        minimum=minimum,
        grace=fields.get("grace_seconds", seconds, Decimal(0)),
        unit=_unit(plan, minimum, fields.get("unit_seconds", positive_seconds, None), fields.wrong),
        connect_fee=fields.get("connect_fee", money, Decimal(0)),
        effective_from=fields.get("effective_date", instant, None),
        effective_to=fields.get("end_date", instant, None),
        blocked=fields.get("status", blocked, False),
    )
    _check_rate(rate, plan.service, fields.wrong)
    return rate


def _unit(plan: RatePlan, minimum: Decimal, stated: Decimal | None, wrong: list[str]) -> Decimal:
    if plan.service == "message":
        return Decimal(60)
    try:
        return unit_of(plan.unit_rule, minimum, stated)
    except ValueError as error:
        wrong.append(str(error))
        return Decimal(60)


def _check_rate(rate: Rate, service: str, wrong: list[str]) -> None:
    if rate.effective_from and rate.effective_to and rate.effective_to <= rate.effective_from:
        wrong.append("end_date is not after effective_date")
    if service == "call" and (rate.mcc is not None or rate.mnc is not None):
        wrong.append("mcc and mnc are for messages")
    if service == "message" and (rate.prefix or rate.connect_fee):
        wrong.append("prefix and connect_fee are for calls")
    if rate.mnc is not None and rate.mcc is None:
        wrong.append("mnc without mcc")


def _refuse_overlaps(service: str, lines: list[int], rates: list[Rate], problems: _Problems) -> None:
    """Two rows for one key must not be in force at once."""
    groups: dict[Key, list[tuple[datetime, datetime, int]]] = {}
    for line, rate in zip(lines, rates, strict=True):
        interval = (rate.effective_from or _EVER, rate.effective_to or _NEVER, line)
        groups.setdefault(match_key(service, rate), []).append(interval)
    for key, intervals in groups.items():
        intervals.sort()
        for (_, end, line), (start, _, other) in pairwise(intervals):
            if start < end:
                first, second = sorted((line, other))
                problems.add(f"line {second}: {_named(key)} is in force at the same time as line {first}")


def _named(key: Key) -> str:
    _, prefix, mcc, mnc, country = key
    if mcc is not None:
        return f"mcc {mcc}" + (f" mnc {mnc}" if mnc is not None else "")
    return f"country {country}" if country else f"prefix {prefix!r}" if prefix else "the default row"


def _version(plan: RatePlan, rates: list[Rate], effective_from: datetime) -> str:
    content = hashlib.sha256(repr(replace(plan, effective_from=None, name="")).encode())
    for rate in rates:
        content.update(repr(rate).encode())
    return f"{effective_from:%Y%m%d}-{content.hexdigest()[:12]}"
