"""What one row of the outbox binds together: recipients, number, documents; and the message made of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.deliver.documents import Documents, load
from pipeline.deliver.message import Envelope, build, file_name, is_address
from pipeline.errors import DeliveryError

_DOMAIN = "tollbook.invalid"
INVOICE, REMINDER = "invoice", "reminder"
Row = Mapping[str, Any]


class ChangedError(DeliveryError):
    """The PDF is not the one that the row was queued with."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An invoice made ready for the outbox; ``problem`` says why it cannot be sent yet.

    A reminder of it has a ``level`` above 0, and ``words`` of its own (JSON of subject, text and html).
    """

    invoice: Row
    recipients: tuple[str, ...]
    subject: str = ""
    document_hash: str = ""
    problem: str = ""
    level: int = 0
    words: str = ""

    def row(self, from_email: str, now: datetime) -> dict[str, Any]:
        """The row of ``emails``, queued or held."""
        what = self.invoice["invoice_sid"] + (f":{REMINDER}:{self.level}" if self.level else "")
        email_sid = "mail-" + hashlib.sha256(what.encode()).hexdigest()[:32]
        return {
            "email_sid": email_sid,
            "invoice_sid": self.invoice["invoice_sid"],
            "kind": REMINDER if self.level else INVOICE,
            "level": self.level,
            "words": self.words,
            "message_id": f"<{email_sid}@{from_email.partition('@')[2] or _DOMAIN}>",
            "recipients": ",".join(self.recipients),
            "subject": self.subject,
            "status": "held" if self.problem else "queued",
            "attempts": 0,
            "error": self.problem,
            "document_hash": self.document_hash,
            "queued_at": now,
            "next_at": None,
            "sent_at": None,
        }


def prepare(
    home: Path,
    invoice: Row,
    from_email: str,
    to: tuple[str, ...] = (),
    *,
    level: int = 0,
    words: str = "",
) -> Letter:
    """The letter of an issued invoice, or a reminder of it, to its own recipients or to those in ``to``."""
    return replace(_letter(home, invoice, from_email, to, words), level=level, words=words)


def _letter(home: Path, invoice: Row, from_email: str, to: tuple[str, ...], words: str) -> Letter:
    snapshot = json.loads(invoice["snapshot"])
    given = to or tuple(snapshot["recipients"])
    recipients = tuple(dict.fromkeys(address for address in given if is_address(address)))
    if not recipients:
        why = "none of its e-mail addresses is valid" if given else "no e-mail address is known"
        advice = f"Send it with `tollbook deliver --resend {invoice['number']} --to ADDRESS`."
        return Letter(invoice, (), problem=f"{why}. {advice}")
    if not is_address(from_email or snapshot["seller"]["email"]):
        return Letter(invoice, recipients, problem="it has no sender. Set TOLLBOOK_FROM_EMAIL.")
    try:
        documents = load(home, invoice)
    except DeliveryError as error:
        return Letter(invoice, recipients, problem=str(error))
    subject = json.loads(words)["subject"] if words else documents.subject
    return Letter(invoice, recipients, subject, documents.pdf_sha256)


def compose(home: Path, row: Row, invoice: Row, from_email: str) -> tuple[Envelope, bytes]:
    """The message of a queued row.

    Raises:
        ChangedError: the PDF is not the one that the row was queued with.
        DeliveryError: a document is missing or is not what was made.
    """
    documents: Documents = load(home, invoice)
    if documents.pdf_sha256 != row["document_hash"]:
        advice = f"Look at it, then `tollbook deliver --resend {invoice['number']}`."
        msg = f"its PDF has changed since it was queued. {advice}"
        raise ChangedError(msg)
    if row["words"]:
        documents = replace(documents, files={}, **json.loads(row["words"]))
    seller = json.loads(invoice["snapshot"])["seller"]
    envelope = Envelope(
        sender=from_email or seller["email"],
        sender_name=seller["name"],
        recipients=addresses(row),
        reply_to=seller["email"] if is_address(seller["email"]) else "",
        message_id=row["message_id"],
        date=row["queued_at"],
    )
    return envelope, build(envelope, documents, attachment_name(row, invoice))


def addresses(row: Row) -> tuple[str, ...]:
    """The recipients of a row."""
    return tuple(filter(None, row["recipients"].split(",")))


def attachment_name(row: Row, invoice: Row) -> str:
    """The invoice's number where that can name a file, else an id of ours."""
    return file_name(invoice["number"], row["email_sid"])


def message_name(row: Row, invoice: Row) -> str:
    """What the message is called where it is kept as a file."""
    name = attachment_name(row, invoice)
    return f"{name}-{REMINDER}-{row['level']}" if row["level"] else name
