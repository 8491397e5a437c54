"""Suspense at the desk: what could not be rated, and what a person decides about it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.desk.billing import Billing
from pipeline.settings import who

if TYPE_CHECKING:
    from pipeline.invoice.suspense import Ruling, Selection
    from pipeline.rate.report import RateReport

_KIND = ("standing", "unrated_reason", "service", "direction", "family")


@dataclass(frozen=True, slots=True)
class Retried:
    """What rating again came to: the days looked at, and how many records waited before and after."""

    days: int
    before: int
    after: int
    report: "RateReport | None"


def suspended(desk: Billing, chosen: "Selection") -> list[dict[str, Any]]:
    """The records that cannot be charged, by standing, reason and kind, open ones first: how many, whose and where to.

    Customers and prefixes come with the most records first.
    """
    from pipeline.invoice.suspense import suspended

    _export(desk)
    kinds: dict[tuple[str | None, ...], list[dict[str, Any]]] = {}
    for row in suspended(desk.lake, chosen):
        kinds.setdefault(tuple(row[name] for name in _KIND), []).append(row)
    names = desk.masters.names
    found = [dict(zip(_KIND, kind, strict=True)) | _summed(rows, names) for kind, rows in kinds.items()]
    return sorted(found, key=lambda each: (each["standing"] != "open", -each["records"]))


def suspended_records(desk: Billing, chosen: "Selection", most: int) -> list[dict[str, Any]]:
    """The records themselves, at most ``most``."""
    from pipeline.invoice.suspense import suspended_records

    _export(desk)
    return suspended_records(desk.lake, chosen, most)


def accept(
    desk: Billing, chosen: "Selection", *, limit: Decimal | None, why: str, by: str | None
) -> "Ruling":
    """Accepts a reason; the person goes on record."""
    from pipeline.invoice.suspense import accept

    with desk.locked():
        return accept(
            desk.lake,
            desk.ledger,
            chosen,
            limit=limit,
            by=by or who(),
            why=why,
            now=desk.now,
            policy=_policy(desk),
        )


def write_off(desk: Billing, chosen: "Selection", *, why: str, by: str | None) -> "Ruling":
    """Writes records off; the person goes on record."""
    from pipeline.invoice.suspense import write_off

    with desk.locked():
        return write_off(
            desk.lake, desk.ledger, chosen, by=by or who(), why=why, now=desk.now, policy=_policy(desk)
        )


def undo(desk: Billing, ruling_id: int, *, why: str, by: str | None) -> None:
    """Takes a decision back; the person goes on record."""
    from pipeline.invoice.suspense import undo

    with desk.locked():
        undo(desk.lake, desk.ledger, ruling_id, by=by or who(), why=why, now=desk.now, policy=_policy(desk))


def retry(desk: Billing, chosen: "Selection") -> Retried:
    """Rates the days anew on which such records wait, with the plans and masters of today."""
    from pipeline.invoice.suspense import suspended, suspended_days

    with desk.locked():
        days = suspended_days(desk.lake, chosen)
        before = _unrated(suspended(desk.lake, chosen))
        report = desk.rate(days) if days else None
        return Retried(len(days), before, _unrated(suspended(desk.lake, chosen)), report)


def rulings(desk: Billing) -> list[dict[str, Any]]:
    """Every decision, those of the policy first."""
    _export(desk)
    return desk.lake.query(
        "select * from invoice.rulings order by decided_at nulls first, try_cast(ruling_id as bigint)"
    )


def _export(desk: Billing) -> None:
    from pipeline.invoice.suspense import export_rulings

    export_rulings(desk.lake, desk.ledger, _policy(desk), at=desk.now)


def _policy(desk: Billing) -> tuple[str, ...]:
    return desk.masters.policy.accepted_unrated


def _unrated(rows: list[dict[str, Any]]) -> int:
    return sum(row["records"] for row in rows if row["unrated_reason"] is not None)


def _summed(rows: Sequence[dict[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """What the rows of one kind come to."""
    customers, prefixes = Counter[str](), Counter[tuple[str | None, str | None]]()
    for row in rows:
        customers[row["payer_sid"]] += row["records"]
        prefixes[row["country_code"], row["prefix"]] += row["records"]
    return {
        "records": customers.total(),
        "seconds": sum((row["seconds"] or Decimal(0) for row in rows), Decimal(0)),
        "cost": sum((row["cost"] for row in rows), Decimal(0)),
        "first": min(row["first"] for row in rows),
        "last": max(row["last"] for row in rows),
        "example": min(row["example"] for row in rows),
        "plans": sorted({row["plan_sid"] for row in rows} - {None}),
        "customers": [
            {"partner_sid": sid, "name": names.get(sid, sid), "records": n}
            for sid, n in customers.most_common()
        ],
        "prefixes": [
            {"country_code": country, "prefix": prefix, "records": n}
            for (country, prefix), n in prefixes.most_common()
        ],
    }
