"""The outbox: one row per issued invoice, and one per reminder of it. Each is sent at most once without anybody's word,
and never lost silently.

::

    held ──> queued ──> sending ──> sent ───> bounced   reported back for every recipient; a person resends
      ^        │ ^        │  ├────> failed               refused for good; a person resends
      └────────┘ └─ 4xx ──┘  └────> unknown              nobody can know; a person looks and resends

A row is marked ``sending`` before anything is sent. Found so by the next run, it was interrupted and becomes
``unknown``: SMTP has no way to ask whether a message arrived, and an invoice sent twice is worse than one that waits
for a person. The row binds recipients, number and the PDF's hash; they are checked again just before sending. Where a
server takes it for some recipients and refuses others for now, it is queued again for those alone.

Writing ``.eml`` files (no mail server) can be repeated without harm, so it needs no such caution.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from pipeline.deliver.bounces import REFUSAL, note, read_reports, refused_so_far, spelled
from pipeline.deliver.letter import (
    INVOICE,
    ChangedError,
    Letter,
    Row,
    addresses,
    compose,
    message_name,
    prepare,
)
from pipeline.deliver.message import is_address
from pipeline.deliver.smtp import Mailer, Outcome, parse_url
from pipeline.errors import DeliveryError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows

ATTEMPTS = 8
_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=6)
_COPY = "deliver/emails"
emails, invoices = schema.emails, schema.invoices


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What left in this run, and what stands in the outbox after it.

    ``problems`` name each that needs a look; ``no_server`` says why the mail server takes nothing at all.
    """

    sent: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    unknown: int = 0
    bounced: int = 0
    problems: tuple[str, ...] = ()
    no_server: str = ""


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
    no_server: str = ""


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
    bounces: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> DeliverReport:
    """Sends every issued invoice that has not been sent.

    ``bounces`` is a folder of delivery reports, which are read first. ``resend`` names invoices (by number or sid)
    that ``by`` wants sent again, to the addresses in ``to`` where there are any, else to the invoice's own. An empty
    ``from_email`` means the seller's own address.

    Raises:
        DeliveryError: a setting, a folder or a name in ``resend`` or ``to`` is wrong; nothing was sent.
    """
    server = parse_url(smtp_url) if smtp_url else None
    for address in (*filter(None, [from_email]), *to):
        if not is_address(address):
            msg = f"{address!r} is not one plain e-mail address (like billing@example.com). Nothing was sent."
            raise DeliveryError(msg)
    mailer = Mailer(server, helo=from_email.partition("@")[2] or "localhost") if server else None
    run = _Run(lake, ledger, mailer, from_email, now, progress or (lambda _text: None))
    _park_interrupted(run)
    if bounces is not None:
        read_reports(ledger, bounces, now=now)
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
    letters = [prepare(run.lake.home, _issued(run, name), run.from_email, to) for name in names]
    with run.ledger.transaction() as tx:
        for letter in letters:
            row = letter.row(run.from_email, run.now)
            renewed = {name: value for name, value in row.items() if name not in {"email_sid", "message_id"}}
            renewed["pending"] = ""
            mine = emails.c.email_sid == row["email_sid"]
            if not tx.execute(emails.update().where(mine).values(renewed)).rowcount:
                tx.execute(emails.insert(), row)
            whom = ", ".join(to) or "the invoice's own recipients"
            decision = {"at": run.now, "by": by, "what": "resend", "subject": letter.invoice["number"]}
            tx.execute(schema.decisions.insert(), decision | {"reason": f"to {whom}"})


def _issued(run: _Run, name: str) -> Row:
    wanted = (invoices.c.number == name) | (invoices.c.invoice_sid == name)
    found = rows(run.ledger, invoices.select().where(wanted, invoices.c.number.is_not(None)))
    if not found:
        msg = f"there is no issued invoice {name!r}. `tollbook sql 'select number from invoice.invoices'` lists them."
        raise DeliveryError(msg)
    return found[0]


def _queue(run: _Run) -> None:
    """Rows for invoices that have none, and a second look at what is held."""
    known = emails.select().with_only_columns(emails.c.invoice_sid).where(emails.c.kind == INVOICE)
    issued = invoices.select().where(invoices.c.number.is_not(None), invoices.c.date_issued.is_not(None))
    fresh = rows(run.ledger, issued.where(invoices.c.invoice_sid.not_in(known)).order_by(invoices.c.number))
    held = rows(run.ledger, emails.select().where(emails.c.status == "held"))
    letters = [prepare(run.lake.home, invoice, run.from_email) for invoice in fresh]
    again = [_prepared(run, row) for row in held]
    with run.ledger.transaction() as tx:
        for letter in letters:
            tx.execute(emails.insert(), letter.row(run.from_email, run.now))
        for letter in again:
            row = letter.row(run.from_email, run.now)
            mine = (emails.c.email_sid == row["email_sid"]) & (emails.c.status == "held")
            tx.execute(emails.update().where(mine).values(row))


def _prepared(run: _Run, row: Row) -> Letter:
    return prepare(
        run.lake.home,
        _invoice(run, row),
        run.from_email,
        addresses(row),
        level=row["level"],
        words=row["words"],
    )


def _send_due(run: _Run) -> None:
    now_or_never = emails.c.next_at.is_(None) | (emails.c.next_at <= run.now)
    due = emails.select().where(emails.c.status == "queued", now_or_never)
    found = rows(run.ledger, due.order_by(emails.c.queued_at, emails.c.subject))
    for n, row in enumerate(found, start=1):
        if not _send(run, row):
            return
        run.progress(f"sent {n} of {len(found)} messages")


def _send(run: _Run, row: Row) -> bool:
    """Sends one message; False where no other could be sent either."""
    invoice = _invoice(run, row)
    try:
        envelope, content = compose(run.lake.home, row, invoice, run.from_email)
    except ChangedError as error:
        _settle(run, row, Outcome("failed", str(error)))
        return True
    except DeliveryError as error:
        _settle(run, row, Outcome("held", str(error)))
        return True
    if run.mailer is None:
        _write(run.lake.home / "outbox" / f"{message_name(row, invoice)}.eml", content)
        _settle(run, row, Outcome("sent"))
        return True
    try:
        run.mailer.open()
    except DeliveryError as error:
        run.no_server = str(error)
        return False
    if _mark_sending(run, row):
        recipients = _pending(row) or envelope.recipients
        _settle(run, row, run.mailer.send(envelope.sender, recipients, content))
    return True


def _invoice(run: _Run, row: Row) -> Row:
    return rows(run.ledger, invoices.select().where(invoices.c.invoice_sid == row["invoice_sid"]))[0]


def _mark_sending(run: _Run, row: Row) -> bool:
    """Takes the row for this run; False where another has it."""
    mine = (emails.c.email_sid == row["email_sid"]) & (emails.c.status == "queued")
    with run.ledger.transaction() as tx:
        done = tx.execute(
            emails.update().where(mine).values(status="sending", attempts=emails.c.attempts + 1)
        )
    return done.rowcount == 1


def _settle(run: _Run, row: Row, outcome: Outcome) -> None:
    status, next_at = outcome.status, None
    attempts = row["attempts"] + 1
    if status == "queued":
        next_at = run.now + min(_FIRST_WAIT * 2 ** (attempts - 1), _LONGEST_WAIT)
        status = "failed" if attempts >= ATTEMPTS else status
    # Without a look at the status: should somebody have parked it meanwhile, it is known after all.
    with run.ledger.transaction() as tx:
        pending = tuple(outcome.later) or _pending(row)
        lost = dict(outcome.refused)
        if status == "failed":
            lost |= {who: outcome.later.get(who, outcome.note) for who in pending if who not in lost}
        note(tx, row, lost, REFUSAL, f"{row['queued_at']}|{attempts}", run.now)
        refused = refused_so_far(tx, row)
        if status == "failed" and pending and set(addresses(row)) - set(refused):
            status = "sent"  # to the others
        values = {"status": status, "attempts": attempts, "next_at": next_at}
        values["pending"] = ",".join(pending) if status == "queued" else ""
        values["error"] = spelled(refused) if status == "sent" else outcome.note
        if status == "sent":
            values["sent_at"] = run.now
            run.sent += 1
        tx.execute(emails.update().where(emails.c.email_sid == row["email_sid"]).values(values))


def _pending(row: Row) -> tuple[str, ...]:
    """Who is still to get it, where others are done with; nobody in particular otherwise."""
    return tuple(filter(None, row["pending"].split(",")))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(0o600)
    temporary.replace(path)


def _export(run: _Run) -> None:
    """The lake's copy of the outbox, where it has changed."""
    names = [name for name, _, _ in BY_NAME[_COPY].columns]
    standing = rows(run.ledger, emails.select().order_by(emails.c.email_sid))
    shown = [{name: row[name] for name in names} for row in standing]
    inputs = hashlib.sha256(repr(shown).encode()).hexdigest()
    copies = run.lake.files(_COPY, ["all"])
    if copies[0].inputs == inputs if copies else not shown:
        return
    staged = run.lake.stage(_COPY, "all", pa.Table.from_pylist(shown, schema=BY_NAME[_COPY].schema), inputs)
    with run.ledger.transaction() as tx:
        run.lake.commit(tx, [staged], at=run.now, stage="deliver", note=f"{run.sent} sent")


def _report(run: _Run) -> DeliverReport:
    found = rows(run.ledger, emails.select().order_by(emails.c.email_sid))
    named = rows(run.ledger, invoices.select().with_only_columns(invoices.c.invoice_sid, invoices.c.number))
    numbers = {row["invoice_sid"]: row["number"] for row in named}
    standing = Counter(row["status"] for row in found)
    notes = sorted(
        f"{numbers[row['invoice_sid']]}{_named(row)} {row['status']}: {row['error']}"
        for row in found
        if row["error"]
    )
    return DeliverReport(
        sent=run.sent,
        waiting=standing["queued"],
        held=standing["held"],
        failed=standing["failed"],
        unknown=standing["unknown"],
        bounced=standing["bounced"],
        problems=tuple(notes),
        no_server=run.no_server,
    )


def _named(row: Row) -> str:
    return f" ({row['kind']} {row['level']})" if row["level"] else ""
