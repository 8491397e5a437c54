"""The outbox: one row per issued invoice, sent at most once without anybody's word, and never lost silently.

::

    held ──> queued ──> sending ──> sent
                ^          │  ├───> failed    refused for good; a person resends
                └── 4xx ───┘  └───> unknown   nobody can know; a person looks and resends

A row is marked ``sending`` before anything is sent. Found so by the next run, it was interrupted and becomes
``unknown``: SMTP has no way to ask whether a message arrived, and an invoice sent twice is worse than one that waits
for a person. The row binds recipients, number and the PDF's hash; they are checked again just before sending.

Writing ``.eml`` files (no mail server) can be repeated without harm, so it needs no such caution.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.deliver.documents import Documents, load
from pipeline.deliver.message import Envelope, build, file_name, is_address
from pipeline.deliver.smtp import Mailer, Outcome, parse_url
from pipeline.errors import DeliveryError
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger

ATTEMPTS = 8
_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=6)
_DOMAIN = "tollbook.invalid"
Row = Mapping[str, Any]
emails, invoices = schema.emails, schema.invoices


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What left in this run, and what stands in the outbox after it. ``problems`` name each that needs a look."""

    sent: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    unknown: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """What one call shares. ``mailer`` is None where messages are written as files."""

    lake: Lake
    ledger: Ledger
    mailer: Mailer | None
    from_email: str
    now: datetime
    progress: Callable[[str], None]
    sent: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Letter:
    """What a row binds; ``problem`` says why it cannot be sent yet."""

    recipients: tuple[str, ...]
    subject: str = ""
    document_hash: str = ""
    problem: str = ""


def deliver(
    lake: Lake,
    ledger: Ledger,
    *,
    smtp_url: str | None,
    from_email: str,
    now: datetime,
    resend: Sequence[str] = (),
    to: Sequence[str] = (),
    by: str = "operator",
    progress: Callable[[str], None] | None = None,
) -> DeliverReport:
    """Sends every issued invoice that has not been sent.

    ``resend`` names invoices (by number or sid) that ``by`` wants sent again, to the addresses in ``to`` where
    there are any, else to the invoice's own. An empty ``from_email`` means the seller's own address.

    Raises:
        DeliveryError: a setting or a name in ``resend`` or ``to`` is wrong; nothing was sent.
    """
    server = parse_url(smtp_url) if smtp_url else None
    for address in (*filter(None, [from_email]), *to):
        if not is_address(address):
            msg = f"{address!r} is not one plain e-mail address (like billing@example.com). Nothing was sent."
            raise DeliveryError(msg)
    mailer = Mailer(server, helo=from_email.partition("@")[2] or "localhost") if server else None
    run = _Run(lake, ledger, mailer, from_email, now, progress or (lambda _text: None))
    _park_interrupted(run)
    if resend:
        _resend(run, resend, tuple(to), by)
    _queue(run)
    try:
        _send_due(run)
    finally:
        if mailer is not None:
            mailer.close()
    _export(run)
    return _report(run)


def _park_interrupted(run: _Run) -> None:
    note = "interrupted while it was being sent; it may have arrived. Ask, then resend it if it has not."
    with run.ledger.transaction() as tx:
        tx.execute(emails.update().where(emails.c.status == "sending").values(status="unknown", error=note))


def _resend(run: _Run, names: Sequence[str], to: tuple[str, ...], by: str) -> None:
    with run.ledger.transaction() as tx:
        for name in names:
            found = tx.execute(
                invoices.select().where((invoices.c.number == name) | (invoices.c.invoice_sid == name))
            ).mappings()
            invoice = found.one_or_none()
            if invoice is None or not invoice["number"]:
                msg = f"there is no issued invoice {name!r}. `tollbook sql \"select number from invoice.invoices\"` lists them."
                raise DeliveryError(msg)
            row = _row(run, invoice, _letter(run, invoice, to))
            known = tx.execute(
                emails.update()
                .where(emails.c.invoice_sid == invoice["invoice_sid"])
                .values({k: v for k, v in row.items() if k not in {"email_sid", "message_id"}})
            )
            if not known.rowcount:
                tx.execute(emails.insert(), row)
            whom = f"to {', '.join(to)}" if to else "to the invoice's recipients"
            decision = {"at": run.now, "by": by, "what": "resend", "subject": invoice["number"], "reason": whom}
            tx.execute(schema.decisions.insert(), decision)


def _queue(run: _Run) -> None:
    """Rows for invoices that have none, and a second look at what is held."""
    known = emails.select().with_only_columns(emails.c.invoice_sid)
    with run.ledger.transaction() as tx:
        fresh = invoices.select().where(invoices.c.number.is_not(None), invoices.c.date_issued.is_not(None))
        fresh = fresh.where(invoices.c.invoice_sid.not_in(known)).order_by(invoices.c.number)
        for invoice in tx.execute(fresh).mappings().all():
            tx.execute(emails.insert(), _row(run, invoice, _letter(run, invoice)))
        held = tx.execute(emails.select().where(emails.c.status == "held")).mappings().all()
        for row in held:
            invoice = tx.execute(invoices.select().where(invoices.c.invoice_sid == row["invoice_sid"])).mappings().one()
            again = _row(run, invoice, _letter(run, invoice, _split(row["recipients"])))
            tx.execute(emails.update().where(emails.c.email_sid == row["email_sid"]).values(again))


def _letter(run: _Run, invoice: Row, to: tuple[str, ...] = ()) -> _Letter:
    snapshot = json.loads(invoice["snapshot"])
    given = to or tuple(snapshot["recipients"])
    recipients = tuple(dict.fromkeys(address for address in given if is_address(address)))
    if not recipients:
        why = "no e-mail address is known" if not given else "none of its e-mail addresses is valid"
        return _Letter((), problem=f"{why}. Send it with `tollbook deliver --resend {invoice['number']} --to ADDRESS`.")
    if not is_address(run.from_email or snapshot["seller"]["email"]):
        return _Letter(recipients, problem="it has no sender. Set TOLLBOOK_FROM_EMAIL.")
    try:
        documents = load(run.lake.home, invoice)
    except DeliveryError as error:
        return _Letter(recipients, problem=str(error))
    return _Letter(recipients, documents.subject, documents.pdf_sha256)


def _row(run: _Run, invoice: Row, letter: _Letter) -> dict[str, Any]:
    email_sid = "mail-" + hashlib.sha256(invoice["invoice_sid"].encode()).hexdigest()[:32]
    return {
        "email_sid": email_sid,
        "invoice_sid": invoice["invoice_sid"],
        "message_id": f"<{email_sid}@{run.from_email.partition('@')[2] or _DOMAIN}>",
        "recipients": ",".join(letter.recipients),
        "subject": letter.subject,
        "status": "held" if letter.problem else "queued",
        "attempts": 0,
        "error": letter.problem,
        "document_hash": letter.document_hash,
        "queued_at": run.now,
        "next_at": None,
        "sent_at": None,
    }


def _send_due(run: _Run) -> None:
    due = emails.select().where(emails.c.status == "queued")
    due = due.where(emails.c.next_at.is_(None) | (emails.c.next_at <= run.now)).order_by(emails.c.queued_at, emails.c.subject)
    with run.ledger.read() as tx:
        rows = tx.execute(due).mappings().all()
    for n, row in enumerate(rows, start=1):
        if not _send(run, row):
            return
        run.progress(f"sent {n} of {len(rows)} messages")


def _send(run: _Run, row: Row) -> bool:
    """Sends one message; False where no other could be sent either."""
    with run.ledger.read() as tx:
        invoice = tx.execute(invoices.select().where(invoices.c.invoice_sid == row["invoice_sid"])).mappings().one()
    try:
        documents = load(run.lake.home, invoice)
        if documents.pdf_sha256 != row["document_hash"]:
            msg = f"its PDF has changed since it was queued. Look at it, then `tollbook deliver --resend {invoice['number']}`."
            raise DeliveryError(msg)
        envelope, content = _message(run, row, invoice, documents)
    except DeliveryError as error:
        _settle(run, row, "queued", Outcome("failed", str(error)))
        return True
    if run.mailer is None:
        name = file_name(invoice["number"], row["email_sid"])
        _write(run.lake.home / "outbox" / f"{name}.eml", content)
        _settle(run, row, "queued", Outcome("sent"))
        return True
    try:
        run.mailer.open()
    except DeliveryError as error:
        run.problems.append(str(error))
        return False
    if _mark_sending(run, row):
        _settle(run, row, "sending", run.mailer.send(envelope.sender, envelope.recipients, content))
    return True


def _message(run: _Run, row: Row, invoice: Row, documents: Documents) -> tuple[Envelope, bytes]:
    seller = json.loads(invoice["snapshot"])["seller"]
    envelope = Envelope(
        sender=run.from_email or seller["email"],
        sender_name=seller["name"],
        recipients=_split(row["recipients"]),
        reply_to=seller["email"] if is_address(seller["email"]) else "",
        message_id=row["message_id"],
        date=row["queued_at"],
    )
    return envelope, build(envelope, documents, file_name(invoice["number"], row["email_sid"]))


def _mark_sending(run: _Run, row: Row) -> bool:
    """Takes the row for this run; False where another has it."""
    mine = (emails.c.email_sid == row["email_sid"]) & (emails.c.status == "queued")
    with run.ledger.transaction() as tx:
        done = tx.execute(emails.update().where(mine).values(status="sending", attempts=emails.c.attempts + 1))
    return done.rowcount == 1


def _settle(run: _Run, row: Row, expected: str, outcome: Outcome) -> None:
    status, next_at = outcome.status, None
    attempts = row["attempts"] + 1
    if status == "queued":
        next_at = run.now + min(_FIRST_WAIT * 2 ** (attempts - 1), _LONGEST_WAIT)
        status = "failed" if attempts >= ATTEMPTS else status
    values = {"status": status, "error": outcome.note, "attempts": attempts, "next_at": next_at}
    if status == "sent":
        values["sent_at"] = run.now
        run.sent += 1
    # What another run parked as unknown meanwhile is known after all.
    mine = (emails.c.email_sid == row["email_sid"]) & emails.c.status.in_((expected, "unknown"))
    with run.ledger.transaction() as tx:
        tx.execute(emails.update().where(mine).values(values))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(0o600)
    temporary.replace(path)


def _split(recipients: str) -> tuple[str, ...]:
    return tuple(filter(None, recipients.split(",")))
