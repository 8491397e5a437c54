"""Prices a CSV of calls or messages, row by row, and writes each on with what it comes to.

``number,seconds,at`` for calls and ``number,units,at`` for messages; ``direction``, ``caller``, ``mcc`` and ``mnc`` are
read where they are there. Each row is priced on the plan's version at its own time.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from pipeline.domain.rating import DIRECTIONS
from pipeline.errors import DeckError
from pipeline.rate.quote import CALL, Ask, PlanFor, quote

ADDED = ("status", "reason", "matched_prefix", "billed_seconds", "amount")
_QUANTITY = {"call": "seconds", "message": "units"}


@dataclass(frozen=True, slots=True)
class Quoted:
    """How many rows of a usage file came out how; ``amount`` is the sum of the rated ones."""

    rows: int
    rated: int
    unrated: int
    not_billable: int
    invalid: int
    amount: Decimal


def quote_usage(plan_for: PlanFor, service: str, usage: Path, out: TextIO) -> Quoted:
    """Prices every row of ``usage`` and writes it on with the columns of ``ADDED``.

    A row that cannot be read gets the status ``invalid`` and says why.

    Raises:
        DeckError: the file has no such columns or cannot be read.
    """
    quantity = _QUANTITY[service]
    try:
        with usage.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = list(reader.fieldnames or ())
            _check_columns(usage, names, ("number", quantity, "at"))
            writer = csv.DictWriter(out, [*names, *ADDED], lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            counts = {"rated": 0, "unrated": 0, "not_billable": 0, "invalid": 0}
            total, rows = Decimal(0), 0
            for row in reader:
                answer = _quote_row(plan_for, service, row, quantity)
                writer.writerow({**row, **answer})
                counts[answer["status"]] += 1
                total += Decimal(answer["amount"] or 0) if answer["status"] == "rated" else Decimal(0)
                rows += 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{usage} cannot be read: {error}. Give a CSV in UTF-8 with number,{quantity},at."
        raise DeckError(msg) from None
    return Quoted(rows, **counts, amount=total)


def _check_columns(usage: Path, names: list[str], wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        msg = f"{usage} has no column {', '.join(missing)}; its first line must name {','.join(wanted)}."
        raise DeckError(msg)


def _quote_row(plan_for: PlanFor, service: str, row: dict[str, str | None], quantity: str) -> dict[str, str]:
    try:
        ask = _ask(service, row, quantity)
    except (ValueError, OverflowError) as error:
        return dict.fromkeys(ADDED, "") | {"status": "invalid", "reason": str(error)}
    outcome = quote(ask, plan_for(ask), service).outcome
    return {
        "status": outcome.status,
        "reason": outcome.reason or "",
        "matched_prefix": outcome.rate.prefix if outcome.rate else "",
        "billed_seconds": _text(outcome.billed),
        "amount": _text(outcome.amount),
    }


def _ask(service: str, row: dict[str, str | None], quantity: str) -> Ask:
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


def _code(row: dict[str, str | None], name: str) -> int | None:
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
