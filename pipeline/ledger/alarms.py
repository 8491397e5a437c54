"""Which signals somebody has been told of: a table of the ledger, so that each is told once."""

from sqlalchemy import Column, Table

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
