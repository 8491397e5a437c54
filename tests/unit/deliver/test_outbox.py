"""Each issued invoice leaves once, to its own recipients, with its own documents."""

import io
import json
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pypdfium2
import pytest

from pipeline.deliver.outbox import ATTEMPTS, DeliverReport, deliver
from pipeline.errors import DeliveryError
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.query import rows
from pipeline.render.documents import render_invoices
from tests.fixtures.invoices import NOW, add_documents, add_invoice, copied, emails, make_lake, snapshot
from tests.fixtures.mail import Sink, free_port, smtp_server

FROM = "billing@harbor.example"


def run(lake: Lake, url: str | None = None, now: datetime = NOW, **options: object) -> DeliverReport:
    return deliver(lake, lake.ledger, smtp_url=url, from_email=FROM, now=now, **options)  # type: ignore[arg-type]


def set_status(lake: Lake, status: str) -> None:
    with lake.ledger.transaction() as tx:
        tx.execute(schema.emails.update().values(status=status))


@pytest.fixture(scope="module")
def first_ready(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = make_lake(tmp_path_factory.mktemp("ready"))
    add_invoice(lake)
    add_documents(lake)
    return lake


@pytest.fixture
def ready(first_ready: Lake, tmp_path: Path) -> Lake:
    """One issued invoice with its documents."""
    return copied(first_ready, tmp_path / "home")


# Without a mail server


def test_without_a_server_messages_become_files(ready: Lake) -> None:
    assert run(ready) == DeliverReport(sent=1)
    path = ready.home / "outbox" / "HCS-2026-000001.eml"
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert (message["To"], message["From"]) == (
        "billing@prairiewind.example",
        "Harbor Carrier Services <billing@harbor.example>",
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_second_run_sends_nothing(ready: Lake) -> None:
    run(ready)
    before = {path: path.stat().st_mtime_ns for path in (ready.home / "outbox").iterdir()}
    assert run(ready, now=NOW + timedelta(days=1)) == DeliverReport()
    assert {path: path.stat().st_mtime_ns for path in (ready.home / "outbox").iterdir()} == before


def test_file_written_twice_is_the_same(ready: Lake) -> None:
    """Interrupted between the file and its mark, the next run writes the same bytes."""
    run(ready)
    path = ready.home / "outbox" / "HCS-2026-000001.eml"
    first = path.read_bytes()
    set_status(ready, "queued")
    assert run(ready, now=NOW + timedelta(hours=1)).sent == 1
    assert path.read_bytes() == first


def test_drafts_are_not_sent(lake: Lake) -> None:
    add_invoice(lake, number=None)
    add_documents(lake)
    assert run(lake) == DeliverReport()
    assert emails(lake) == {}


# Held


def test_invoice_without_recipients_is_held_and_said_so(lake: Lake) -> None:
    add_invoice(lake, snapshot=snapshot(recipients=[]))
    add_documents(lake)
    report = run(lake)
    assert (report.held, report.sent) == (1, 0)
    assert report.problems == (
        "HCS-2026-000001 held: no e-mail address is known. "
        "Send it with `tollbook deliver --resend HCS-2026-000001 --to ADDRESS`.",
    )


def test_bad_addresses_are_left_out(lake: Lake) -> None:
    bad = ["a@x.example,b@y.example", "good@x.example", "x\r\nBcc: v@example.com", "good@x.example"]
    add_invoice(lake, snapshot=snapshot(recipients=bad))
    add_documents(lake)
    assert run(lake).sent == 1
    assert emails(lake)["inv-1"]["recipients"] == "good@x.example"


def test_held_for_its_documents_leaves_when_they_are_there(lake: Lake) -> None:
    add_invoice(lake)
    assert run(lake).problems == (
        "HCS-2026-000001 held: its documents are not made yet. Run `tollbook render`.",
    )
    add_documents(lake, pdf=b"")
    assert "its PDF is not made yet" in run(lake).problems[0]
    add_documents(lake)
    assert run(lake) == DeliverReport(sent=1)


@pytest.mark.parametrize("name", ["invoice.html", "invoice.pdf", "email.json", "calls.csv"])
def test_document_that_is_not_what_was_made_does_not_leave(ready: Lake, name: str) -> None:
    path = ready.home / "documents" / "inv-1" / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    report = run(ready)
    assert (report.sent, report.held) == (0, 1)
    assert name in report.problems[0]


def test_page_that_is_not_the_issued_one_does_not_leave(ready: Lake) -> None:
    with ready.ledger.transaction() as tx:
        tx.execute(schema.invoices.update().values(document_hash="0" * 64))
    assert "is not the page that was issued" in run(ready).problems[0]


def test_pdf_that_changed_after_it_was_queued_needs_a_person(ready: Lake) -> None:
    run(ready, f"smtp://127.0.0.1:{free_port()}")
    add_documents(ready, pdf=b"%PDF another")
    report = run(ready)
    assert (report.sent, report.failed) == (0, 1)
    assert run(ready, resend=["HCS-2026-000001"]) == DeliverReport(sent=1)


def test_seller_without_an_address_is_held_when_no_sender_is_set(lake: Lake) -> None:
    add_invoice(lake, snapshot=snapshot(seller={"email": ""}))
    add_documents(lake)
    report = deliver(lake, lake.ledger, smtp_url=None, from_email="", now=NOW)
    assert report.problems == ("HCS-2026-000001 held: it has no sender. Set TOLLBOOK_FROM_EMAIL.",)


# With a mail server


def test_message_reaches_exactly_its_recipients(ready: Lake) -> None:
    sink = Sink()
    with smtp_server(sink) as url:
        assert run(ready, url) == DeliverReport(sent=1)
    assert [(sender, to) for sender, to, _ in sink.arrived] == [(FROM, ("billing@prairiewind.example",))]
    assert sink.messages()[0]["Message-ID"] == emails(ready)["inv-1"]["message_id"]


def test_server_that_is_away_leaves_everything_queued(ready: Lake) -> None:
    report = run(ready, f"smtp://127.0.0.1:{free_port()}")
    assert (report.sent, report.waiting) == (0, 1)
    assert "cannot be used" in report.no_server
    assert emails(ready)["inv-1"]["attempts"] == 0
    assert run(ready) == DeliverReport(sent=1)


def test_passing_refusal_waits_longer_each_time_and_ends(ready: Lake) -> None:
    sink, now, waits = Sink(data=["451 later"] * ATTEMPTS), NOW, []
    with smtp_server(sink) as url:
        for _ in range(ATTEMPTS - 1):
            assert run(ready, url, now).waiting == 1
            assert run(ready, url, now + timedelta(minutes=4)).sent == 0
            row = emails(ready)["inv-1"]
            waits.append((row["next_at"] - now) // timedelta(minutes=1))
            now = row["next_at"]
        assert run(ready, url, now).failed == 1
        assert run(ready, url, now + timedelta(days=9)).failed == 1
    assert (waits, sink.arrived, sink.data) == ([5, 10, 20, 40, 80, 160, 320], [], [])


def test_refusal_for_good_names_who_was_refused(ready: Lake) -> None:
    with smtp_server(Sink(rcpt={"billing@prairiewind.example": "550 no such user"})) as url:
        report = run(ready, url)
        assert run(ready, url, NOW + timedelta(days=9)).failed == 1
    assert report.problems == (
        "HCS-2026-000001 failed: not accepted: billing@prairiewind.example: 550 no such user",
    )


def test_connection_cut_after_the_content_is_never_sent_again_by_itself(ready: Lake) -> None:
    sink = Sink(drop="data")
    with smtp_server(sink) as url:
        assert run(ready, url).unknown == 1
        sink.drop = ""
        assert run(ready, url, NOW + timedelta(days=9)).unknown == 1
        assert len(sink.arrived) == 1
        assert run(ready, url, resend=["HCS-2026-000001"], by="ann") == DeliverReport(sent=1)
    assert len({message["Message-ID"] for message in sink.messages()}) == 1


def test_row_left_in_sending_is_parked(ready: Lake) -> None:
    run(ready, f"smtp://127.0.0.1:{free_port()}")
    set_status(ready, "sending")
    report = run(ready)
    assert (report.unknown, report.sent) == (1, 0)
    assert "it may have arrived" in report.problems[0]


# Resending


def test_resend_is_on_record_and_can_go_elsewhere(lake: Lake) -> None:
    add_invoice(lake, snapshot=snapshot(recipients=[]))
    add_documents(lake)
    run(lake)
    assert run(lake, resend=["inv-1"], to=["new@x.example"], by="ann") == DeliverReport(sent=1)
    assert emails(lake)["inv-1"]["recipients"] == "new@x.example"
    decisions = [
        (r["by"], r["what"], r["subject"], r["reason"]) for r in rows(lake.ledger, schema.decisions.select())
    ]
    assert decisions == [("ann", "resend", "HCS-2026-000001", "to new@x.example")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"resend": ["nonsense"]}, "no issued invoice 'nonsense'", id="unknown invoice"),
        pytest.param({"resend": ["draft"]}, "no issued invoice 'draft'", id="a draft"),
        pytest.param({"resend": ["inv-1"], "to": ["a, b"]}, "not one plain e-mail address", id="bad address"),
        pytest.param({"url": "nonsense"}, "TOLLBOOK_SMTP_URL", id="bad URL"),
    ],
)
def test_mistake_sends_nothing(ready: Lake, options: dict, message: str) -> None:
    add_invoice(ready, "draft", None)
    with pytest.raises(DeliveryError, match=message):
        run(ready, **options)
    assert emails(ready) == {}


def test_bad_sender_is_refused(ready: Lake) -> None:
    with pytest.raises(DeliveryError, match="not one plain e-mail address"):
        deliver(ready, ready.ledger, smtp_url=None, from_email="Harbor <a@x.example>", now=NOW)


# The lake's copy


def test_copy_in_the_lake_is_written_when_something_changed(ready: Lake) -> None:
    run(ready)
    (first,) = ready.files("deliver/emails")
    run(ready, now=NOW + timedelta(hours=1))
    assert ready.files("deliver/emails") == [first]
    assert ready.query("select status, recipients from deliver.emails") == [
        {"status": "sent", "recipients": "billing@prairiewind.example"}
    ]


# The right document to the right person


def test_each_customer_gets_their_own_invoice(lake: Lake) -> None:
    for n in range(4):
        who = f"c{n}@x.example"
        own = snapshot({"name": f"Customer {n}"}, recipients=[who], bill_to=[f"Customer {n}"])
        add_invoice(lake, f"inv-{n}", f"HCS-2026-00000{n}", calls=1, messages=0, snapshot=own)
    render_invoices(lake, lake.ledger, now=NOW)
    sink = Sink()
    with smtp_server(sink) as url:
        assert run(lake, url).sent == 4
    for (_, to, _), message in zip(sink.arrived, sink.messages(), strict=True):
        (n,) = (n for n in range(4) if to == (f"c{n}@x.example",))
        pdf = next(
            part for part in message.iter_attachments() if part.get_content_type() == "application/pdf"
        )
        document = pypdfium2.PdfDocument(io.BytesIO(pdf.get_content()))
        text = document[0].get_textpage().get_text_bounded()
        document.close()
        assert (f"Customer {n}" in text, f"HCS-2026-00000{n}" in text) == (True, True)
        assert pdf.get_filename() == f"HCS-2026-00000{n}.pdf"


def test_snapshot_decides_who_gets_it(ready: Lake) -> None:
    """A change of an address at the provider after the invoice was drafted changes nothing."""
    run(ready, f"smtp://127.0.0.1:{free_port()}")
    changed = json.loads(snapshot()) | {"recipients": ["attacker@evil.example"]}
    with ready.ledger.transaction() as tx:
        tx.execute(schema.invoices.update().values(snapshot=json.dumps(changed)))
    run(ready)
    assert emails(ready)["inv-1"]["recipients"] == "billing@prairiewind.example"
