"""What people decided about records that cannot be rated: two tables of the ledger, of which no row is ever edited.

Taking a decision back is a row too.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from pipeline.ledger.schema import metadata
from pipeline.ledger.types import Id, Instant, Money, name

rulings = Table(
    "rulings",
    metadata,
    Column("ruling_id", Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("by", name(120), nullable=False),
    Column("action", name(20), nullable=False),
    Column("reason", name(60)),
    Column("partner_sid", name(120)),
    Column("date_from", Instant),
    Column("date_to", Instant),
    Column("cost_limit", Money),
    Column("records", BigInteger, nullable=False, default=0),
    Column("why", Text, nullable=False),
)

ruling_undos = Table(
    "ruling_undos",
    metadata,
    Column("ruling_id", ForeignKey("rulings.ruling_id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", name(120), nullable=False),
    Column("why", Text, nullable=False),
)
