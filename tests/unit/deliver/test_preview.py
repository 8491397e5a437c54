"""A preview is what would be sent, and leaves no trace; an e-mail brings what its customer wishes for and has room."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import pytest

from pipeline.deliver import documents
from pipeline.deliver.outbox import deliver
from pipeline.deliver.preview import preview
from pipeline.deliver.reminders import Worded, queue
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.query import rows
from tests.fixtures.europe import GERMAN, NORTH, VAT
from tests.fixtures.invoices import NOW, add_documents, add_invoice, emails, make_lake, snapshot

FROM = "billing@harbor.example"
ALL = ("csv", "parquet", "ubl")
WORDS = json.dumps({"subject": "Reminder", "text": "please pay", "html": "<p>please pay</p>"})


@pytest.fixture(scope="module")
def sent_home(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Invoices for customers who wish for different files."""
    lake = make_lake(tmp_path_factory.mktemp("home"))
    tax = {key: value for key, value in VAT.items() if key != "lines"}
    tax |= {"method": "percent", "detail": json.dumps({"lines": VAT["lines"]})}
    for n, wishes in enumerate([ALL, ("csv",), ("pdf",), ("ubl", "parquet")], start=1):
        said = snapshot(GERMAN | {"attachments": wishes}, NORTH)
        money = {"currency": "EUR", "amount_tax": VAT["amount"], "snapshot": said}
        add_invoice(lake, f"inv-{n}", f"NT-2026-00000{n}", taxes=[tax], **money)
        add_documents(lake, f"inv-{n}")
    return lake


def attached(lake: Lake, number: int, tmp_path: Path) -> list[tuple[str, str]]:
    preview(lake.home, lake.ledger, tmp_path, from_email=FROM, now=NOW)
    content = (tmp_path / f"NT-2026-00000{number}.eml").read_bytes()
    message = cast(EmailMessage, message_from_bytes(content, policy=default))
    name = f"NT-2026-00000{number}"
    return [
        ((part.get_filename() or "").removeprefix(name), part.get_content_type())
        for part in message.iter_attachments()
    ]


PDF = (".pdf", "application/pdf")
UBL = ("-invoice.ubl.xml", "application/xml")
CSV = [("-calls.csv", "text/csv"), ("-messages.csv", "text/csv")]
PARQUET = [
    ("-calls.parquet", "application/vnd.apache.parquet"),
    ("-messages.parquet", "application/vnd.apache.parquet"),
]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, [PDF, UBL, *CSV, *PARQUET]), (2, [PDF, *CSV]), (3, [PDF]), (4, [PDF, UBL, *PARQUET])],
    ids=["all", "csv", "pdf alone", "ubl and parquet"],
)
def test_an_email_brings_what_the_customer_wishes_for(
    sent_home: Lake, tmp_path: Path, number: int, expected: list[tuple[str, str]]
) -> None:
    assert attached(sent_home, number, tmp_path) == expected


def test_what_has_no_room_stays_behind_file_by_file(
    sent_home: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sent_home.home / "documents" / "inv-1"
    room = sum((folder / name).stat().st_size for name in ("calls.csv", "messages.csv")) - 1
    monkeypatch.setattr(documents, "ATTACHED_BYTES", room)
    assert room < (folder / "invoice.ubl.xml").stat().st_size
    assert attached(sent_home, 1, tmp_path) == [PDF, CSV[0]]


def test_a_preview_is_what_is_sent_and_leaves_no_trace(lake: Lake, tmp_path: Path) -> None:
    add_invoice(lake)
    add_documents(lake)
    made = preview(lake.home, lake.ledger, tmp_path / "new", from_email=FROM, now=NOW)
    assert [path.name for path in made.messages] == ["HCS-2026-000001.eml"]
    assert "HCS-2026-000001" in (tmp_path / "new" / "HCS-2026-000001.html").read_text()
    assert (emails(lake), (lake.home / "outbox").exists()) == ({}, False)

    assert deliver(lake, lake.ledger, smtp_url=None, from_email=FROM, now=NOW).sent == 1
    assert (lake.home / "outbox" / "HCS-2026-000001.eml").read_bytes() == made.messages[0].read_bytes()
    assert preview(lake.home, lake.ledger, tmp_path / "new", from_email=FROM, now=NOW).messages == ()


def test_a_preview_shows_reminders_and_names_what_would_be_held(lake: Lake, tmp_path: Path) -> None:
    add_invoice(lake)
    add_documents(lake)
    deliver(lake, lake.ledger, smtp_url=None, from_email=FROM, now=NOW)
    (invoice,) = rows(lake.ledger, schema.invoices.select())
    queue(lake.home, lake.ledger, [Worded(invoice, 1, WORDS)], from_email=FROM, now=NOW)
    add_invoice(lake, "inv-2", "HCS-2026-000002", snapshot=snapshot(recipients=[]))
    made = preview(lake.home, lake.ledger, tmp_path, from_email=FROM, now=NOW)
    assert [path.name for path in made.messages] == ["HCS-2026-000001-reminder-1.eml"]
    assert (tmp_path / "HCS-2026-000001-reminder-1.html").read_text().strip() == "<p>please pay</p>"
    assert "no e-mail address is known" in made.problems[0]
