"""Suspense at the desk: what could not be rated, and what a person decides about it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.desk.billing import Billing
from pipeline.settings import who

if TYPE_CHECKING:
    from pipeline.invoice.suspense import Ruling, Selection
    from pipeline.rate.report import RateReport


@dataclass(frozen=True, slots=True)
class Retried:
    """What rating again came to: the days looked at, and how many records waited before and after."""

    days: int
    before: int
    after: int
    report: "RateReport | None"


def suspended(desk: Billing, chosen: "Selection") -> list[dict[str, Any]]:
    """The records that cannot be charged, counted, with the customer's name."""
    from pipeline.invoice.suspense import suspended

    _export(desk)
    found = suspended(desk.lake, chosen)
    customers = desk.masters.customers
    return [row | {"name": _name(customers.get(row["payer_sid"]), row["payer_sid"])} for row in found]


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


def _name(customer: Any, sid: str) -> str:
    return customer.name if customer else sid
