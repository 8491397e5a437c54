"""The tables of the ledger: small, transactional, the place of record for everything that must happen once.

Portable between SQLite and PostgreSQL. Money is exact decimal text (``Money``), instants are UTC ISO text
(``Instant``): both databases then hold the same bytes. Never edit a row of ``entries``. Releases only ever add to this:
a new table, or a new column that may be null or has a ``server_default``.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

# Raised with every change below; ``migrations`` brings older ledgers up to it.
SCHEMA_VERSION = 4

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")


class Money(TypeDecorator[Decimal]):
    """A Decimal kept as plain decimal text."""

    impl = String(60)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            msg = f"money must be Decimal, not {type(value).__name__}"
            raise TypeError(msg)
        return format(value, "f")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An aware datetime kept as UTC ISO text with microseconds; text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "instants must carry a time zone"
            raise TypeError(msg)
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return (
            None if value is None else datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        )


meta = Table(
    "meta", metadata, Column("key", String(80), primary_key=True), Column("value", Text, nullable=False)
)

commits = Table(
    "commits",
    metadata,
    Column("commit_id", _Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("note", Text, nullable=False, default=""),
)

# A file that no row names does not exist; one with a dead_commit is history.
files = Table(
    "files",
    metadata,
    Column("file_id", _Id, primary_key=True, autoincrement=True),
    Column("table_name", String(80), nullable=False),
    Column("label", String(200), nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("inputs", String(64), nullable=False, default=""),
    Column("commit_id", ForeignKey("commits.commit_id"), nullable=False),
    Column("dead_commit_id", ForeignKey("commits.commit_id")),
    Column("dead_at", Instant),
)
Index("files_live", files.c.table_name, files.c.dead_commit_id)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("resource", String(60), primary_key=True),
    Column("cursor_sid", Text),
    Column("cursor_value", Instant),
    Column("swept_to", Instant),
    Column("state", Text, nullable=False, default="{}"),
    Column("at", Instant, nullable=False),
)

# What each landing commit did with what it was given: the first line of the statement.
landings = Table(
    "landings",
    metadata,
    Column("landing_id", _Id, primary_key=True, autoincrement=True),
    Column("commit_id", ForeignKey("commits.commit_id"), nullable=False),
    Column("source", String(40), nullable=False),
    Column("resource", String(60), nullable=False),
    Column("fetched", BigInteger, nullable=False),
    Column("fresh", BigInteger, nullable=False),
    Column("superseding", BigInteger, nullable=False),
    Column("identical", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
)

invoices = Table(
    "invoices",
    metadata,
    Column("invoice_sid", String(64), primary_key=True),
    Column("seller", String(60), nullable=False),
    Column("partner_sid", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("number", String(60), unique=True),
    Column("status", String(20), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("period_start", Instant, nullable=False),
    Column("period_end", Instant, nullable=False),
    Column("amount", Money, nullable=False),
    Column("amount_tax", Money, nullable=False),
    Column("balance_previous", Money, nullable=False),
    Column("payments", Money, nullable=False),
    Column("amount_due", Money, nullable=False),
    Column("balance_forward", Money, nullable=False),
    Column("date_created", Instant, nullable=False),
    Column("date_issued", Instant),
    Column("date_due", Instant),
    Column("approved_by", String(120)),
    Column("snapshot", Text, nullable=False),
    Column("document_hash", String(64)),
)
# One invoice per account and period; its credit notes stand in the same period.
Index(
    "one_invoice_per_period",
    invoices.c.partner_sid,
    invoices.c.seller,
    invoices.c.period_end,
    unique=True,
    sqlite_where=invoices.c.kind == "usage",
    postgresql_where=invoices.c.kind == "usage",
)

invoice_items = Table(
    "invoice_items",
    metadata,
    Column("invoice_sid", ForeignKey("invoices.invoice_sid", ondelete="CASCADE"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("type", String(40), nullable=False),
    Column("direction", String(20)),
    Column("country_code", String(3)),
    Column("description", Text, nullable=False),
    Column("usage", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("amount_exact", Money, nullable=False),
    Column("amount", Money, nullable=False),
    Column("period_start", Instant, nullable=False),
    Column("period_end", Instant, nullable=False),
    Column("detail", Text, nullable=False, default="{}"),
)

invoice_taxes = Table(
    "invoice_taxes",
    metadata,
    Column("invoice_sid", ForeignKey("invoices.invoice_sid", ondelete="CASCADE"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("rule", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("jurisdiction", String(40), nullable=False),
    Column("type", String(80), nullable=False),
    Column("base", Money, nullable=False),
    Column("rate", Money, nullable=False),
    Column("amount", Money, nullable=False),
    Column("legal_source", Text, nullable=False),
    # percent, fixed, minimum, maximum or reverse_charge; detail says what the rate is per and which lines it was on.
    Column("method", String(20), nullable=False, default="percent", server_default="percent"),
    Column("detail", Text, nullable=False, default="{}", server_default="{}"),
)

# Double entry: the rows of one txn_id sum to zero per currency. Positive is debit.
entries = Table(
    "entries",
    metadata,
    Column("entry_id", _Id, primary_key=True, autoincrement=True),
    Column("txn_id", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("account", String(40), nullable=False),
    Column("partner_sid", String(120), nullable=False),
    Column("seller", String(60), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("invoice_sid", String(64)),
    Column("note", Text, nullable=False, default=""),
    Column("by", String(120), nullable=False, default=""),
    UniqueConstraint("txn_id", "account", name="one_row_per_account_and_txn"),
)

# Why money was adjusted: one row per decision of a person. None of these three is ever edited.
adjustment_batches = Table(
    "adjustment_batches",
    metadata,
    Column("batch_sid", String(64), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("reason", Text, nullable=False),
)

# What a customer is to be charged (or given back) with its next invoice, and of which line of which invoice.
adjustments = Table(
    "adjustments",
    metadata,
    Column("adjustment_id", _Id, primary_key=True, autoincrement=True),
    Column("batch_sid", ForeignKey("adjustment_batches.batch_sid"), nullable=False),
    Column("partner_sid", String(120), nullable=False),
    Column("seller", String(60), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("of_invoice_sid", String(64)),
    Column("of_line_no", Integer),
    Column("taxed_as", String(40), nullable=False, default=""),
    Column("direction", String(20)),
    Column("country_code", String(3)),
    Column("description", Text, nullable=False),
    Column("usage", BigInteger, nullable=False, default=0),
    Column("records", BigInteger, nullable=False, default=0),
    Column("amount", Money, nullable=False),
    Column("period_start", Instant),
    Column("period_end", Instant),
)

# The line that took an adjustment, once; a draft that is dropped gives it back.
adjustment_claims = Table(
    "adjustment_claims",
    metadata,
    Column("adjustment_id", ForeignKey("adjustments.adjustment_id"), primary_key=True),
    Column("invoice_sid", ForeignKey("invoices.invoice_sid", ondelete="CASCADE"), nullable=False),
    Column("line_no", Integer, nullable=False),
)

# What a customer contests of an issued invoice, and how it ended.
disputes = Table(
    "disputes",
    metadata,
    Column("dispute_sid", String(64), primary_key=True),
    Column("invoice_sid", ForeignKey("invoices.invoice_sid"), nullable=False),
    Column("status", String(20), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", String(120)),
    Column("settled_reason", Text),
    Column("credit_sid", String(64)),
)
dispute_lines = Table(
    "dispute_lines",
    metadata,
    Column("dispute_sid", ForeignKey("disputes.dispute_sid"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("amount", Money, nullable=False),
)

# The next number of each series and year; raised in the transaction that issues.
series = Table(
    "series",
    metadata,
    Column("series", String(60), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

# A customer set aside, and why; cleared by the next clean run.
parked = Table(
    "parked",
    metadata,
    Column("partner_sid", String(120), primary_key=True),
    Column("seller", String(60), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

# What the provider called back about: a hint that a record exists, and when the pull saw it. Deleted after a while.
hints = Table(
    "hints",
    metadata,
    Column("resource", String(60), primary_key=True),
    Column("sid", String(120), primary_key=True),
    Column("number_src", String(20), nullable=False, default=""),
    Column("number_dst", String(20), nullable=False, default=""),
    Column("said_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("seen_at", Instant),
)
Index("hints_open", hints.c.seen_at, hints.c.resource)

# Decisions of people, on record: approvals, accepted differences, resends.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", _Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("by", String(120), nullable=False),
    Column("what", String(60), nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
)

emails = Table(
    "emails",
    metadata,
    Column("email_sid", String(64), primary_key=True),
    Column("invoice_sid", ForeignKey("invoices.invoice_sid"), nullable=False),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("recipients", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Column("document_hash", String(64), nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("sent_at", Instant),
)
