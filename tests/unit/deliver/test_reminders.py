"""A reminder leaves once per invoice and level, beside the invoice's own e-mail and not instead of it."""

import json
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from pipeline.deliver.outbox import DeliverReport, deliver
from pipeline.deliver.reminders import Worded, queue
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.query import rows
from tests.fixtures.invoices import NOW, add_documents, add_invoice, snapshot

FROM = "billing@harbor.example"
WORDS = json.dumps(
    {"subject": "Reminder: HCS-2026-000001", "text": "please pay", "html": "<p>please pay</p>"}
)


@pytest.fixture
def lake_with_invoice(lake: Lake) -> Lake:
    add_invoice(lake)
    add_documents(lake)
    return lake


def remind(lake: Lake, *levels: int) -> int:
    (invoice,) = rows(lake.ledger, schema.invoices.select())
    return queue(
        lake.home, lake.ledger, [Worded(invoice, n, WORDS) for n in levels], from_email=FROM, now=NOW
    )


def run(lake: Lake, days: int = 0) -> DeliverReport:
    return deliver(lake, lake.ledger, smtp_url=None, from_email=FROM, now=NOW + timedelta(days=days))


def outbox(lake: Lake) -> list[tuple]:
    found = rows(lake.ledger, schema.emails.select().order_by(schema.emails.c.level))
    return [(row["kind"], row["level"], row["status"], row["subject"]) for row in found]


def test_a_reminder_says_its_own_words_and_brings_the_invoice_along(lake_with_invoice: Lake) -> None:
    lake = lake_with_invoice
    run(lake)
    assert remind(lake, 1) == 1
    assert run(lake).sent == 1
    message = message_from_bytes(
        (lake.home / "outbox" / "HCS-2026-000001-reminder-1.eml").read_bytes(), policy=default
    )
    assert message["Subject"] == "Reminder: HCS-2026-000001"
    assert message["To"] == "billing@prairiewind.example"
    assert [part.get_filename() for part in message.iter_attachments()] == ["HCS-2026-000001.pdf"]
    assert message.get_body(("plain",)).get_content().strip() == "please pay"


def test_each_level_leaves_once(lake_with_invoice: Lake) -> None:
    lake = lake_with_invoice
    assert [remind(lake, 1), remind(lake, 1), remind(lake, 1, 2), remind(lake, 2)] == [1, 0, 1, 0]
    assert [run(lake).sent, run(lake, 1).sent] == [3, 0]
    assert [(kind, level) for kind, level, _, _ in outbox(lake)] == [
        ("invoice", 0),
        ("reminder", 1),
        ("reminder", 2),
    ]


def test_a_reminder_before_the_invoices_own_e_mail_does_not_replace_it(lake_with_invoice: Lake) -> None:
    remind(lake_with_invoice, 1)
    assert run(lake_with_invoice).sent == 2


def test_a_reminder_to_nobody_is_held_and_told(lake: Lake) -> None:
    add_invoice(lake, snapshot=snapshot(recipients=[]))
    add_documents(lake)
    remind(lake, 1)
    report = run(lake)
    assert (report.sent, report.held) == (0, 2)
    assert any("HCS-2026-000001 (reminder 1) held: no e-mail address is known" in p for p in report.problems)
    run(lake, 1)
    assert [(level, status) for _, level, status, _ in outbox(lake)] == [(0, "held"), (1, "held")]


def test_the_lake_shows_which_e_mail_is_a_reminder(lake_with_invoice: Lake) -> None:
    remind(lake_with_invoice, 1)
    run(lake_with_invoice)
    found = lake_with_invoice.query("select kind, level, status from deliver.emails order by level")
    assert found == [
        {"kind": "invoice", "level": 0, "status": "sent"},
        {"kind": "reminder", "level": 1, "status": "sent"},
    ]
