"""Customers that are set aside, and why."""

from sqlalchemy import Connection, select

from pipeline.ledger.schema import parked


def parked_reasons(tx: Connection) -> list[tuple[str, str]]:
    """``(partner_sid, reason)`` of every parked customer."""
    return [(r.partner_sid, r.reason) for r in tx.execute(select(parked).order_by(parked.c.partner_sid))]
