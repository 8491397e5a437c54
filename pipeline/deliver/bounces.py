"""What becomes of a message after it is handed over: recipients that were refused, at once or by a report later.

A report is a delivery status notification (RFC 3464): a file of a folder, or a message of a maildir. It belongs to the
message whose Message-ID it returns, and only ``failed`` counts: what is delayed may still arrive. The same report
counts once, however often its folder is read. Mail of other kinds is left alone, for people.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from sqlalchemy import Connection

from pipeline.deliver.letter import Row, addresses
from pipeline.errors import DeliveryError
from pipeline.ledger.bounces import bounces
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows_in
from pipeline.ledger.schema import emails

BOUNCED, SENT, UNKNOWN = "bounced", "sent", "unknown"
REFUSAL, REPORT = "refusal", "report"
# The report itself comes first; what it returns of the message may be as long as that was.
_BYTES = 1_000_000
_MAILDIR = ("new", "cur")
_HEADERS_ALONE = ("text/rfc822-headers", "message/rfc822-headers")


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery status notification: whose message it is about, and who did not get it for which reason."""

    message_id: str
    failed: Mapping[str, str]


def parse_report(content: bytes) -> Report | None:
    """The report that a mail is; None where it is none, or does not say of which message."""
    mail = message_from_bytes(content)
    parts = list(mail.walk())
    status = next((p for p in parts if p.get_content_type() == "message/delivery-status"), None)
    message_id = next(filter(None, map(_returned_id, parts)), "")
    if status is None or not message_id:
        return None
    found = dict(_failed(block) for block in _blocks(status) if _said(block, "Action").lower() == "failed")
    return Report(message_id, found)


def read_reports(ledger: Ledger, folder: Path, *, now: datetime) -> int:
    """Puts on record what the reports of a folder say; how many recipients were new to us.

    Raises:
        DeliveryError: the folder cannot be read.
    """
    try:
        told = [
            (hashlib.sha256(content).hexdigest(), report)
            for content in _mails(folder)
            if (report := parse_report(content)) and report.failed
        ]
    except OSError as error:
        msg = f"the folder of bounces {folder} cannot be read ({error.strerror}). Name a folder of mails, or a maildir."
        raise DeliveryError(msg) from None
    new = 0
    with ledger.transaction() as tx:
        ours = {row["message_id"]: row for row in rows_in(tx, emails.select())}
        for origin, report in told:
            row = ours.get(report.message_id)
            if row is not None:
                new += note(tx, row, report.failed, REPORT, origin, now)
                _settle(tx, row)
    return new


def note(
    tx: Connection, row: Row, refused: Mapping[str, str], source: str, origin: str, now: datetime
) -> int:
    """Adds who was refused; ``origin`` names what told it, which counts once. How many were new."""
    new = 0
    for recipient, why in refused.items():
        sid = hashlib.sha256(f"{origin}|{row['email_sid']}|{recipient}".encode()).hexdigest()
        if tx.execute(bounces.select().where(bounces.c.bounce_sid == sid)).first() is None:
            content = {"at": now, "source": source, "recipient": recipient, "note": why}
            tx.execute(bounces.insert(), {"bounce_sid": sid, "email_sid": row["email_sid"]} | content)
            new += 1
    return new


def refused_so_far(tx: Connection, row: Row) -> dict[str, str]:
    """Who was refused since the message was queued, and why."""
    mine = (bounces.c.email_sid == row["email_sid"]) & (bounces.c.at >= row["queued_at"])
    found = tx.execute(bounces.select().where(mine).order_by(bounces.c.at, bounces.c.recipient))
    return {entry.recipient: entry.note for entry in found}


def spelled(refused: Mapping[str, str]) -> str:
    """Who was refused, as one sentence; empty for nobody."""
    return f"not accepted: {'; '.join(f'{who}: {why}' for who, why in refused.items())}" if refused else ""


def _settle(tx: Connection, row: Row) -> None:
    """Gives a message that was handed over its standing: bounced where nobody is left who may have it."""
    if row["status"] not in (SENT, UNKNOWN, BOUNCED):
        return
    refused = refused_so_far(tx, row)
    lost = {who.lower() for who in refused}
    status = BOUNCED if all(who.lower() in lost for who in addresses(row)) else row["status"]
    mine = emails.c.email_sid == row["email_sid"]
    tx.execute(emails.update().where(mine).values(status=status, error=spelled(refused)))


def _mails(folder: Path) -> Iterator[bytes]:
    folders = [folder, *(folder / name for name in _MAILDIR if (folder / name).is_dir())]
    for path in sorted(path for place in folders for path in place.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as stream:
                yield stream.read(_BYTES)


def _blocks(status: Message) -> Iterable[Message]:
    """The groups of fields of a report: one about the message, then one per recipient."""
    payload = status.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else ()


def _failed(block: Message) -> tuple[str, str]:
    """The address as we wrote it, where the report knows that, and the reason in one line."""
    recipient = _said(block, "Original-Recipient") or _said(block, "Final-Recipient")
    why = (_said(block, "Status"), _said(block, "Diagnostic-Code"))
    return recipient.partition(";")[2].strip() or recipient, " ".join(filter(None, why))[:200]


def _said(block: Message, field: str) -> str:
    return " ".join(str(block.get(field, "")).split())


def _returned_id(part: Message) -> str:
    """The Message-ID of what a report returns."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else payload
    if part.get_content_type() in _HEADERS_ALONE:
        inner = HeaderParser().parsestr(str(inner))
    elif part.get_content_type() != "message/rfc822":
        return ""
    return _said(inner, "Message-ID") if isinstance(inner, Message) else ""
