"""Who did not get a message: one row per recipient that was refused, by our server at once or by a report later.

No row is ever edited. Those of an earlier sending count no more once the message is sent again.
"""

from sqlalchemy import Column, ForeignKey, Table, Text

from pipeline.ledger.schema import metadata
from pipeline.ledger.types import Instant, name

bounces = Table(
    "bounces",
    metadata,
    Column("bounce_sid", name(64), primary_key=True),
    Column("email_sid", ForeignKey("emails.email_sid"), nullable=False),
    Column("at", Instant, nullable=False),
    # refusal (of the server that we hand to) or report (RFC 3464, of a server behind it)
    Column("source", name(20), nullable=False),
    Column("recipient", name(320), nullable=False),
    Column("note", Text, nullable=False),
)
