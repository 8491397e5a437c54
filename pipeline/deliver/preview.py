"""What the next delivery would send, as files to look at: nothing is sent, and nothing is marked or written elsewhere.

Each message is an ``.eml`` file as it would leave, and beside it the page that its reader sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from pipeline.deliver.letter import INVOICE, Row, addresses, compose, message_name, prepare
from pipeline.errors import DeliveryError
from pipeline.lake.disk import write_private
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows
from pipeline.ledger.schema import emails, invoices


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """The messages that were written, by their file; ``problems`` name what would be held back, and why."""

    messages: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()


def preview(home: Path, ledger: Ledger, folder: Path, *, from_email: str, now: datetime) -> PreviewReport:
    """Writes every message that waits into ``folder``: of invoices that were never queued, and of the outbox."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written, problems = [], []
    for row, invoice in _waiting(home, ledger, from_email, now):
        name = message_name(row, invoice)
        try:
            if row["status"] == "held":
                raise DeliveryError(row["error"])
            _, content = compose(home, row, invoice, from_email)
        except DeliveryError as error:
            problems.append(f"{name}: {error}")
            continue
        body = message_from_bytes(content, policy=default).get_body(("html",))
        page = str(body.get_content() if body else "")
        write_private(folder / f"{name}.html", page.encode())
        written.append(write_private(folder / f"{name}.eml", content))
    return PreviewReport(tuple(written), tuple(problems))


def _waiting(home: Path, ledger: Ledger, from_email: str, now: datetime) -> Iterator[tuple[Row, Row]]:
    """The rows of the outbox that wait, or would after the next delivery has looked, each with its invoice."""
    numbered = invoices.select().where(invoices.c.number.is_not(None)).order_by(invoices.c.number)
    issued = {row["invoice_sid"]: row for row in rows(ledger, numbered)}
    outbox = rows(ledger, emails.select().order_by(emails.c.queued_at, emails.c.subject))
    known = {row["invoice_sid"] for row in outbox if row["kind"] == INVOICE}
    for sid, invoice in issued.items():
        if sid not in known:
            yield prepare(home, invoice, from_email).row(from_email, now), invoice
    for row in outbox:
        invoice = issued[row["invoice_sid"]]
        if row["status"] == "held":
            again = prepare(home, invoice, from_email, addresses(row), level=row["level"], words=row["words"])
            yield again.row(from_email, now), invoice
        elif row["status"] == "queued":
            yield row, invoice
