"""Prices a CSV of calls or messages, row by row, and writes each on with what it comes to.

``number,seconds,at`` for calls and ``number,units,at`` for messages; ``direction``, ``caller``, ``mcc`` and ``mnc`` are
read where they are there. Each row is priced on the plan's version at its own time. Where bundles or tiers are asked
for, all rows are held until the last is read, because what one draws depends on the others: they draw in the order in
which they end, among all that the customer has used in the period.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol, TextIO

from pipeline.domain.allowances import NOTHING, Charge
from pipeline.domain.money import add
from pipeline.domain.rating import DIRECTIONS
from pipeline.errors import DeckError
from pipeline.rate.quote import CALL, Ask, PlanFor, charge_of, quote

ADDED = ("status", "reason", "matched_prefix", "billed_seconds", "amount")
DRAWN = ("drawn", "to_pay", "draws")
_QUANTITY = {"call": "seconds", "message": "units"}
_Row = dict[str, str | None]


class Drawn(Protocol):
    """What a row comes to with what it draws, and the draws in words."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def told(self) -> tuple[str, ...]: ...


# What rows draw, by (source, dr_sid); without those that nothing applies to.
DrawsOf = Callable[[Sequence[Charge]], Mapping[tuple[str, str], Drawn]]


@dataclass(frozen=True, slots=True)
class Quoted:
    """How many rows of a usage file came out how; ``amount`` is the sum of the rated ones, ``to_pay`` what is left of
    it after bundles and tiers."""

    rows: int
    rated: int
    unrated: int
    not_billable: int
    invalid: int
    amount: Decimal
    to_pay: Decimal


@dataclass(frozen=True, slots=True)
class _Priced:
    """A row with its answer; amounts are 0 where it has none."""

    row: _Row
    status: str
    amount: Decimal = NOTHING
    to_pay: Decimal = NOTHING
    charge: Charge | None = None


def quote_usage(
    plan_for: PlanFor, service: str, usage: Path, out: TextIO, draws_of: DrawsOf | None = None
) -> Quoted:
    """Prices every row of ``usage`` and writes it on with the columns of ``ADDED``; with ``draws_of`` of ``DRAWN``.

    A row that cannot be read gets the status ``invalid`` and says why.

    Raises:
        DeckError: the file has no such columns or cannot be read.
    """
    quantity = _QUANTITY[service]
    counts = {"rated": 0, "unrated": 0, "not_billable": 0, "invalid": 0}
    amount = to_pay = NOTHING
    try:
        with usage.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = list(reader.fieldnames or ())
            _check_columns(usage, names, ("number", quantity, "at"))
            added = [*ADDED, *(DRAWN if draws_of else ())]
            writer = csv.DictWriter(out, [*names, *added], lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            found: Iterable[_Priced] = (_priced(plan_for, service, row, n) for n, row in enumerate(reader))
            for each in _drawing(list(found), draws_of) if draws_of else found:
                writer.writerow(each.row)
                counts[each.status] += 1
                amount, to_pay = amount + each.amount, to_pay + each.to_pay
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{usage} cannot be read: {error}. Give a CSV in UTF-8 with number,{quantity},at."
        raise DeckError(msg) from None
    return Quoted(sum(counts.values()), **counts, amount=amount, to_pay=to_pay)


def _check_columns(usage: Path, names: list[str], wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        msg = f"{usage} has no column {', '.join(missing)}; its first line must name {','.join(wanted)}."
        raise DeckError(msg)


def _priced(plan_for: PlanFor, service: str, row: _Row, number: int) -> _Priced:
    try:
        ask = _ask(service, row, _QUANTITY[service])
    except (ValueError, OverflowError) as error:
        return _Priced(
            {**row, **dict.fromkeys(ADDED, ""), "status": "invalid", "reason": str(error)}, "invalid"
        )
    outcome = quote(ask, plan_for(ask), service).outcome
    answer: _Row = {
        "status": outcome.status,
        "reason": outcome.reason or "",
        "matched_prefix": outcome.rate.prefix if outcome.rate else "",
        "billed_seconds": _text(outcome.billed),
        "amount": _text(outcome.amount),
    }
    if outcome.status != "rated" or outcome.amount is None:
        return _Priced(row | answer, outcome.status)
    charge = charge_of(ask, service, outcome, f"{number:09}")
    return _Priced(row | answer, outcome.status, outcome.amount, outcome.amount, charge)


def _drawing(found: Sequence[_Priced], draws_of: DrawsOf) -> Iterator[_Priced]:
    drawn = draws_of([each.charge for each in found if each.charge])
    for each in found:
        mine = drawn.get((each.charge.source, each.charge.dr_sid)) if each.charge else None
        to_pay = mine.amount if mine else each.to_pay
        told: _Row = {"drawn": _text(add((to_pay, -each.amount))), "to_pay": _text(to_pay), "draws": ""}
        if mine:
            told["draws"] = " ".join(mine.told)
        yield replace(each, row=each.row | told, to_pay=to_pay) if each.status == "rated" else each


def _ask(service: str, row: _Row, quantity: str) -> Ask:
    number, amount, at = (row[name] or "" for name in ("number", quantity, "at"))
    direction = (row.get("direction") or "").strip()
    if direction and direction not in DIRECTIONS:
        msg = f"direction {direction!r} is neither inbound nor outbound"
        raise ValueError(msg)
    return Ask(
        number,
        _seconds(amount) if service == CALL else Decimal(_whole("units", amount)),
        instant(at),
        direction,
        caller=row.get("caller") or None,
        mcc=_code(row, "mcc"),
        mnc=_code(row, "mnc"),
    )


def instant(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text.strip())
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _code(row: _Row, name: str) -> int | None:
    text = (row.get(name) or "").strip()
    return _whole(name, text) if text else None


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        msg = f"{name} {text!r} is not a whole number"
        raise ValueError(msg)
    return int(text)


def _seconds(text: str) -> Decimal:
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal(-1)
    if not seconds.is_finite() or seconds < 0:
        msg = f"seconds {text!r} is not a number of seconds"
        raise ValueError(msg)
    return seconds


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
