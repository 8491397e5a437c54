"""Which signals somebody has been told of: a table of the ledger, so that each is told once."""

from collections.abc import Mapping, Sequence
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


def told(tx: Connection) -> set[str]:
    """The signals that somebody has been told of."""
    return set(tx.execute(select(told_signals.c.signal_sid)).scalars())


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Takes down that somebody has been told of them."""
    tx.execute(told_signals.insert(), list(rows))
