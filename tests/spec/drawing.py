"""Reads drawn tables: a header line, then rows, columns parted by ``|``; ``->`` parts givens from expectations."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.steps import steps_of
from pipeline.domain.windows import Window
from pipeline.masters.model import Assignment
from pipeline.rate.world import Route
from tests.spec.engines import RINGING, SHOP, Answer, Case, call, message

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
_NUMBERS = ("price", "increment", "minimum", "grace", "unit", "connect_fee", "min_charge", "max_charge")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def table(text: str) -> list[dict[str, str]]:
    """The rows of a drawn table by their column names."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()] or [""]
    header = _cells(lines[0].replace("->", ""))
    return [dict(zip(header, _cells(line), strict=True)) for line in lines[1:]]


def expected_columns(text: str) -> list[str]:
    """The names right of the arrow."""
    return _cells(text.strip().splitlines()[0].split("->")[1])


def plan(deck: str, windows: str = "", **terms: Any) -> RatePlan:
    """A plan from a drawn deck and drawn windows; ``terms`` as in RatePlan."""
    base = RatePlan("plan", "v1", "call", "USD", windows=tuple(_window(row) for row in table(windows)))
    return replace(base, **terms, rates=tuple(_rate(row) for row in table(deck)))


def check_calls(engine: Any, deck: str, calls: str, lookups: str = "", **terms: Any) -> None:
    """Every call comes out as drawn, for the customer ``shop``."""
    known = tuple(Route(instant(row["at"]), row["number"], row["lrn"]) for row in table(lookups))
    check(engine, Case([plan(deck, **terms)], [Assignment("*", "plan")], routes=known), "call", calls)


def check_messages(engine: Any, deck: str, messages: str, **terms: Any) -> None:
    """Every message comes out as drawn, for the customer ``shop``."""
    check(
        engine, Case([plan(deck, service="message", **terms)], [Assignment("*", "plan")]), "message", messages
    )


def check(engine: Any, case: Case, service: str, drawn: str, *, side: str = "charge") -> None:
    """The drawn records come out as drawn; with a column ``payer`` expected, one row per payer."""
    names = expected_columns(drawn)
    rows = table(drawn)
    records = [_record(service, f"{n:03}", row) for n, row in enumerate(rows)]
    answers = [a for a in engine(case, service, records) if a.side == side]
    assert [_shown(a, names) for a in answers] == [{name: row[name] for name in names} for row in rows]


def instant(text: str) -> datetime:
    """``""`` is noon of the day; ``+1 ms`` and ``-1 ms`` count from midnight of 2026-03-15."""
    if not text:
        return NOON
    if text.endswith(" ms"):
        return datetime(2026, 3, 15, tzinfo=UTC) + timedelta(milliseconds=int(text[:-3]))
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _window(row: dict[str, str]) -> Window:
    holidays = tuple(date.fromisoformat(day) for day in row.get("holidays", "").split())
    days = tuple(_WEEKDAYS.index(day) + 1 for day in row["days"].split())
    return Window(
        row["window"], days, time.fromisoformat(row["from"]), time.fromisoformat(row["to"]), holidays
    )


def _rate(row: dict[str, str]) -> Rate:
    given: dict[str, Any] = {name: Decimal(row[name]) for name in _NUMBERS if row.get(name)}
    given |= {name: int(row[name]) for name in ("mcc", "mnc") if row.get(name)}
    dates = {"from": "effective_from", "to": "effective_to"}
    given |= {dates[name]: instant(row[name]) for name in dates if row.get(name)}
    return Rate(
        price=given.pop("price", None),
        prefix=row.get("prefix", ""),
        country_code=row.get("country") or None,
        blocked=row.get("status") == "blocked",
        origin_prefix=row.get("origin", ""),
        jurisdiction=row.get("jurisdiction") or None,
        window=row.get("window", ""),
        steps=steps_of(row.get("steps")),
        **given,
    )


def _record(service: str, sid: str, row: dict[str, str]) -> dict[str, Any]:
    at = instant(row["answered at"]) - RINGING if row.get("answered at") else instant(row.get("at", ""))
    number = row.get("number", "442079460000" if service == "call" else "4915112345678")
    more: dict[str, Any] = {"partner_sid": row.get("partner", SHOP)}
    more |= {name: row[name] or None for name in ("direction", "type") if name in row}
    integers = {"mcc": "mcc", "mnc": "mnc", "sipcause": "sipcause", "recipients": "recipients"}
    integers |= {"segments": "message_segments"}
    more |= {field: int(row[name]) if row[name] else None for name, field in integers.items() if name in row}
    texts = {
        "transformed": "number_dst_transformed",
        "original": "number_dst_original",
        "own_number": "number_billing",
        "caller": "number_src",
    }
    texts |= {"src": "endpoint_sid_src", "dst": "endpoint_sid_dst", "sent_as": "status"}
    more |= {field: row[name] or None for name, field in texts.items() if name in row}
    if "charged" in row:
        more["price"] = Decimal(row["charged"]) if row["charged"] else None
    if service == "message":
        return message(sid, number, at=at, **more)
    return _rang(call(sid, number, row.get("seconds", "60"), at=at, **more), row)


def _rang(record: dict[str, Any], row: dict[str, str]) -> dict[str, Any]:
    if row.get("answered") == "no":
        record["date_talk"] = None
    if row.get("ends") == "before answer":
        record["date_stop"] = record["date_talk"] - timedelta(milliseconds=1)
    return record


def _shown(answer: Answer, names: list[str]) -> dict[str, str]:
    values = {
        "status": answer.status,
        "reason": answer.reason,
        "prefix": answer.prefix,
        "base": answer.base,
        "billed": answer.billed,
        "amount": answer.amount,
        "family": answer.family,
        "item": answer.item_type,
        "country": answer.country_code,
        "matched": answer.matched_number,
        "jurisdiction": answer.jurisdiction,
        "price": answer.price,
        "plan": answer.plan[0] if answer.plan else None,
        "version": answer.plan[1] if answer.plan else None,
        "payer": answer.payer_sid,
        "payee": answer.payee_sid,
        "level": answer.level,
    }
    return {name: _text(values[name]) for name in names}


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return "" if value is None else str(value)
