"""What somebody has been told of, so that each thing is told once: signals of fraud, and credit that runs out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from pipeline.ledger.schema import metadata
from pipeline.ledger.types import Instant, name

told_signals = Table(
    "told_signals",
    metadata,
    Column("signal_sid", name(40), primary_key=True),
    Column("kind", name(40), nullable=False),
    Column("partner_sid", name(120), nullable=False),
    Column("at", Instant, nullable=False),
    Column("how", name(400), nullable=False),
)


# As it was told last: low or suspend. An account that has enough again has no row.
told_credit = Table(
    "told_credit",
    metadata,
    Column("partner_sid", name(120), primary_key=True),
    Column("seller", name(60), primary_key=True),
    Column("advice", name(20), nullable=False),
    Column("at", Instant, nullable=False),
)


def told(tx: Connection) -> set[str]:
    """The signals that somebody has been told of."""
    return set(tx.execute(select(told_signals.c.signal_sid)).scalars())


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Takes down that somebody has been told of them."""
    tx.execute(told_signals.insert(), list(rows))


def credit_told(tx: Connection) -> dict[tuple[str, str], str]:
    """The advice that was told last, of each partner and seller."""
    return {(row.partner_sid, row.seller): row.advice for row in tx.execute(select(told_credit))}


def keep_credit_told(tx: Connection, advices: Mapping[tuple[str, str], str], at: datetime) -> None:
    """Takes down what is known by now, in the place of what was."""
    if credit_told(tx) == advices:
        return
    tx.execute(told_credit.delete())
    rows = [{"partner_sid": p, "seller": s, "advice": a, "at": at} for (p, s), a in advices.items()]
    if rows:
        tx.execute(told_credit.insert(), rows)
