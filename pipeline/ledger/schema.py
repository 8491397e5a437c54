"""The tables of the ledger: small, transactional, the place of record for everything that must happen once.

Portable between SQLite and PostgreSQL, see ``types``. Never edit a row of ``entries``. Releases only ever add to
this: a new table, or a new column that may be null or has a ``server_default``.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from pipeline.ledger.types import Id, Instant, Money, name

# Raised with every change below; ``migrations`` brings older ledgers up to it.
SCHEMA_VERSION = 6

metadata = MetaData()

meta = Table(
    "meta", metadata, Column("key", name(80), primary_key=True), Column("value", Text, nullable=False)
)

commits = Table(
    "commits",
    metadata,
    Column("commit_id", Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("stage", name(20), nullable=False),
    Column("note", Text, nullable=False, default=""),
)

# A file that no row names does not exist; one with a dead_commit is history.
files = Table(
    "files",
    metadata,
    Column("file_id", Id, primary_key=True, autoincrement=True),
    Column("table_name", name(80), nullable=False),
    Column("label", name(200), nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", name(64), nullable=False),
    Column("inputs", name(64), nullable=False, default=""),
    Column("commit_id", ForeignKey("commits.commit_id"), nullable=False),
    Column("dead_commit_id", ForeignKey("commits.commit_id")),
    Column("dead_at", Instant),
)
Index("files_live", files.c.table_name, files.c.dead_commit_id)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("source", name(40), primary_key=True),
    Column("resource", name(60), primary_key=True),
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
    Column("landing_id", Id, primary_key=True, autoincrement=True),
    Column("commit_id", ForeignKey("commits.commit_id"), nullable=False),
    Column("source", name(40), nullable=False),
    Column("resource", name(60), nullable=False),
    Column("fetched", BigInteger, nullable=False),
    Column("fresh", BigInteger, nullable=False),
    Column("superseding", BigInteger, nullable=False),
    Column("identical", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
)

invoices = Table(
    "invoices",
    metadata,
    Column("invoice_sid", name(64), primary_key=True),
    Column("seller", name(60), nullable=False),
    Column("partner_sid", name(120), nullable=False),
    Column("kind", name(20), nullable=False),
    Column("number", name(60), unique=True),
    Column("status", name(20), nullable=False),
    Column("currency", name(3), nullable=False),
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
    Column("approved_by", name(120)),
    Column("snapshot", Text, nullable=False),
    Column("document_hash", name(64)),
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
    Column("type", name(40), nullable=False),
    Column("direction", name(20)),
    Column("country_code", name(3)),
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
    Column("rule", name(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("jurisdiction", name(40), nullable=False),
    Column("type", name(80), nullable=False),
    Column("base", Money, nullable=False),
    Column("rate", Money, nullable=False),
    Column("amount", Money, nullable=False),
    Column("legal_source", Text, nullable=False),
    # percent, fixed, minimum, maximum or reverse_charge; detail says what the rate is per and which lines it was on.
    Column("method", name(20), nullable=False, default="percent", server_default="percent"),
    Column("detail", Text, nullable=False, default="{}", server_default="{}"),
)

# Double entry: the rows of one txn_id sum to zero per currency. Positive is debit.
entries = Table(
    "entries",
    metadata,
    Column("entry_id", Id, primary_key=True, autoincrement=True),
    Column("txn_id", name(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("account", name(40), nullable=False),
    Column("partner_sid", name(120), nullable=False),
    Column("seller", name(60), nullable=False),
    Column("kind", name(20), nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency", name(3), nullable=False),
    Column("invoice_sid", name(64)),
    Column("note", Text, nullable=False, default=""),
    Column("by", name(120), nullable=False, default=""),
    UniqueConstraint("txn_id", "account", name="one_row_per_account_and_txn"),
)

# Why money was adjusted: one row per decision of a person. None of these three is ever edited.
adjustment_batches = Table(
    "adjustment_batches",
    metadata,
    Column("batch_sid", name(64), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", name(120), nullable=False),
    Column("kind", name(20), nullable=False),
    Column("reason", Text, nullable=False),
)

# What a customer is to be charged (or given back) with its next invoice, and of which line of which invoice.
adjustments = Table(
    "adjustments",
    metadata,
    Column("adjustment_id", Id, primary_key=True, autoincrement=True),
    Column("batch_sid", ForeignKey("adjustment_batches.batch_sid"), nullable=False),
    Column("partner_sid", name(120), nullable=False),
    Column("seller", name(60), nullable=False),
    Column("currency", name(3), nullable=False),
    Column("of_invoice_sid", name(64)),
    Column("of_line_no", Integer),
    Column("taxed_as", name(40), nullable=False, default=""),
    Column("direction", name(20)),
    Column("country_code", name(3)),
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
    Column("dispute_sid", name(64), primary_key=True),
    Column("invoice_sid", ForeignKey("invoices.invoice_sid"), nullable=False),
    Column("status", name(20), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", name(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", name(120)),
    Column("settled_reason", Text),
    Column("credit_sid", name(64)),
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
    Column("series", name(60), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

# A customer set aside, and why; cleared by the next clean run.
parked = Table(
    "parked",
    metadata,
    Column("partner_sid", name(120), primary_key=True),
    Column("seller", name(60), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

# What the provider called back about: a hint that a record exists, and when the pull saw it. Deleted after a while.
hints = Table(
    "hints",
    metadata,
    Column("resource", name(60), primary_key=True),
    Column("sid", name(120), primary_key=True),
    Column("number_src", name(20), nullable=False, default=""),
    Column("number_dst", name(20), nullable=False, default=""),
    Column("said_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("seen_at", Instant),
)
Index("hints_open", hints.c.seen_at, hints.c.resource)

# Decisions of people, on record: approvals, accepted differences, resends.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("by", name(120), nullable=False),
    Column("what", name(60), nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
)

# The outbox. An invoice has one e-mail of its own (level 0), and at most one reminder of each level.
emails = Table(
    "emails",
    metadata,
    Column("email_sid", name(64), primary_key=True),
    Column("invoice_sid", ForeignKey("invoices.invoice_sid"), nullable=False),
    Column("kind", name(20), nullable=False, default="invoice", server_default="invoice"),
    Column("level", Integer, nullable=False, default=0, server_default="0"),
    # A reminder's own words as JSON: subject, text and html. An invoice's lie beside its documents.
    Column("words", Text, nullable=False, default="", server_default=""),
    Column("message_id", name(200), nullable=False, unique=True),
    Column("recipients", Text, nullable=False),
    # Who of them is still to get it, where others have it already or never will; empty is all.
    Column("pending", Text, nullable=False, default="", server_default=""),
    Column("subject", Text, nullable=False),
    Column("status", name(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Column("document_hash", name(64), nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("sent_at", Instant),
)
Index("one_email_per_level", emails.c.invoice_sid, emails.c.kind, emails.c.level, unique=True)
