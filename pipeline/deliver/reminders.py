"""Puts reminders into the outbox, each invoice and level once; the outbox sends them like everything else.

The level's row is the memory that the reminder exists: it is there before anything is sent, so that a crash, a second
run or a resend never makes another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.deliver.letter import REMINDER, Row, prepare
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import emails


@dataclass(frozen=True, slots=True)
class Worded:
    """A reminder of an invoice (a row of ``invoices``) with its words (JSON of subject, text and html)."""

    invoice: Row
    level: int
    words: str


def queue(home: Path, ledger: Ledger, found: Iterable[Worded], *, from_email: str, now: datetime) -> int:
    """Queues those that are not in the outbox yet; how many those were."""
    letters = [prepare(home, w.invoice, from_email, level=w.level, words=w.words) for w in found]
    queued = 0
    with ledger.transaction() as tx:
        known = {
            (row.invoice_sid, row.level)
            for row in tx.execute(emails.select().where(emails.c.kind == REMINDER))
        }
        for letter in letters:
            row: Mapping[str, object] = letter.row(from_email, now)
            if (row["invoice_sid"], row["level"]) not in known:
                tx.execute(emails.insert(), row)
                queued += 1
    return queued
