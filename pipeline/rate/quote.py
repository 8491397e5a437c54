"""The price of one call or message, or of a CSV of them, under a plan: the reference, with its reasons.

Works on a plan value alone, so that ``quote --plan-file`` answers at once and without a home.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from pipeline.domain.rate_plan import PSTN, RatePlan
from pipeline.domain.rating import SYSTEM_GATEWAY, CallUsage, MessageUsage, Outcome, rate_call, rate_message
from pipeline.errors import DeckError

ADDED = ("status", "reason", "matched_prefix", "billed_seconds", "amount")


@dataclass(frozen=True, slots=True)
class Quoted:
    """How many rows of a usage file came out how; ``amount`` is the sum of the rated ones."""

    rows: int
    rated: int
    unrated: int
    not_billable: int
    invalid: int
    amount: Decimal


def quote_call(plan: RatePlan, number: str, seconds: Decimal, at: datetime) -> Outcome:
    """Prices a call that was answered at ``at`` and talked for ``seconds`` (to the millisecond)."""
    end = at + timedelta(milliseconds=int(seconds * 1000))
    talk = at if seconds > 0 else None
    endpoint = SYSTEM_GATEWAY if plan.family in (None, PSTN) else plan.family
    return rate_call(
        CallUsage(plan.direction or "outbound", at, talk, end, number, endpoint_type=endpoint), plan
    )


def quote_message(
    plan: RatePlan, number: str, units: int, at: datetime, *, mcc: int | None = None, mnc: int | None = None
) -> Outcome:
    """Prices ``units`` segments to a number; ``mcc`` and ``mnc`` as far as they are known."""
    status = plan.billable_statuses[0] if plan.billable_statuses else None
    message = MessageUsage(
        plan.direction or "outbound", "sms", at, status, number, None, mcc, mnc, message_segments=units
    )
    return rate_message(message, plan)


def quote_usage(plan: RatePlan, usage: Path, out: TextIO) -> Quoted:
    """Prices every row of a CSV with ``number,seconds,at`` (messages: ``number,units,at``) and writes it on.

    The columns of ``ADDED`` are appended. A row that cannot be read gets the status ``invalid`` and says why.

    Raises:
        DeckError: the file has no such columns or cannot be read.
    """
    amount_column = "seconds" if plan.service == "call" else "units"
    try:
        with usage.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = list(reader.fieldnames or ())
            _check_columns(usage, names, ("number", amount_column, "at"))
            writer = csv.DictWriter(out, [*names, *ADDED], lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            counts = {"rated": 0, "unrated": 0, "not_billable": 0, "invalid": 0}
            total, rows = Decimal(0), 0
            for row in reader:
                answer = _quote_row(plan, row, amount_column)
                writer.writerow({**row, **answer})
                counts[answer["status"]] += 1
                total += Decimal(answer["amount"] or 0) if answer["status"] == "rated" else Decimal(0)
                rows += 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{usage} cannot be read: {error}. Give a CSV in UTF-8 with number,{amount_column},at."
        raise DeckError(msg) from None
    return Quoted(rows, **counts, amount=total)


def instant(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text.strip())
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _check_columns(usage: Path, names: list[str], wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        msg = f"{usage} has no column {', '.join(missing)}; its first line must name {','.join(wanted)}."
        raise DeckError(msg)


def _quote_row(plan: RatePlan, row: dict[str, str | None], amount_column: str) -> dict[str, str]:
    number, amount, at = (row[name] or "" for name in ("number", amount_column, "at"))
    try:
        if plan.service == "call":
            outcome = quote_call(plan, number, _seconds(amount), instant(at))
        else:
            outcome = quote_message(plan, number, int(amount), instant(at))
    except (ValueError, OverflowError) as error:
        return dict.fromkeys(ADDED, "") | {"status": "invalid", "reason": str(error)}
    return {
        "status": outcome.status,
        "reason": outcome.reason or "",
        "matched_prefix": outcome.rate.prefix if outcome.rate else "",
        "billed_seconds": _plain(outcome.billed),
        "amount": _plain(outcome.amount),
    }


def _seconds(text: str) -> Decimal:
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal(-1)
    if not seconds.is_finite() or seconds < 0:
        msg = f"seconds {text!r} is not a number of seconds"
        raise ValueError(msg)
    return seconds


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
