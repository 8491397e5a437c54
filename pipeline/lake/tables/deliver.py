"""What was e-mailed; a copy of the ledger's."""

from pipeline.lake.tables.kinds import Table, int32, text, ts

DELIVERED: tuple[Table, ...] = (
    Table(
        "deliver/emails",
        "one row per message of the outbox; a copy of the ledger's",
        ("email_sid",),
        (
            ("email_sid", text, "our id"),
            ("invoice_sid", text, "invoice"),
            ("kind", text, "invoice or reminder"),
            ("level", int32, "of a reminder; 0 for the invoice itself"),
            ("message_id", text, "Message-ID header"),
            ("recipients", text, "with commas"),
            ("subject", text, "subject"),
            ("status", text, "queued, sending, sent, failed, unknown, held, bounced"),
            ("attempts", int32, "tries so far"),
            ("error", text, "last refusal"),
            ("queued_at", ts, "queued"),
            ("sent_at", ts, "handed over"),
        ),
    ),
)
