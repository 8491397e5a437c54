"""Who did not get an invoice is known, whether the server says so at once or a report comes back later."""

from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.deliver.bounces import Report, parse_report
from pipeline.deliver.outbox import ATTEMPTS, DeliverReport, deliver
from pipeline.desk import Desk
from pipeline.errors import DeliveryError
from pipeline.invoice.export import export
from pipeline.lake.lake import Lake
from pipeline.masters.model import Masters
from pipeline.settings import Settings
from tests.fixtures.invoices import NOW, add_documents, add_invoice, copied, emails, make_lake, snapshot
from tests.fixtures.mail import Sink, smtp_server

FROM, ANN, BOB = "billing@harbor.example", "ann@x.example", "bob@y.example"
DAY = timedelta(days=1)
REPORT = """\
From: mailer-daemon@y.example
To: {sender}
Subject: Undelivered mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I am sorry to have to inform you.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; y.example

{blocks}
--b
Content-Type: {returned}

From: {sender}
Message-ID: {message_id}
Subject: Invoice

--b--
"""
BLOCK = "Final-Recipient: rfc822; {who}\nAction: {action}\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n  such user\n"


def report(message_id: str, *failed: str, action: str = "failed", returned: str = "message/rfc822") -> bytes:
    blocks = "\n".join(BLOCK.format(who=who, action=action) for who in failed)
    text = REPORT.format(sender=FROM, message_id=message_id, blocks=blocks, returned=returned)
    return text.replace("\n", "\r\n").encode()


def run(lake: Lake, url: str | None = None, days: int = 0, **more: object) -> DeliverReport:
    now = NOW + days * DAY
    return deliver(lake, lake.ledger, smtp_url=url, from_email=FROM, now=now, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def first_ready(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = make_lake(tmp_path_factory.mktemp("ready"))
    add_invoice(lake, snapshot=snapshot(recipients=[ANN, BOB]))
    add_documents(lake)
    return lake


@pytest.fixture
def ready(first_ready: Lake, tmp_path: Path) -> Lake:
    """An invoice for two people."""
    return copied(first_ready, tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty maildir."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "bounces" / name).mkdir(parents=True)
    return tmp_path / "bounces"


def mail(lake: Lake) -> Mapping[str, object]:
    return emails(lake)["inv-1"]


# Reading a report

WHY = "5.1.1 smtp; 550 no such user"
MAILS = {
    "the message is returned": (report("<m@x>", ANN), Report("<m@x>", {ANN: WHY})),
    "its headers are returned": (
        report("<m@x>", ANN, returned="text/rfc822-headers"),
        Report("<m@x>", {ANN: WHY}),
    ),
    "of two recipients": (report("<m@x>", ANN, BOB), Report("<m@x>", {ANN: WHY, BOB: WHY})),
    "as we had written it": (
        report("<m@x>", ANN).replace(
            b"Final-", b"Original-Recipient: rfc822;" + BOB.encode() + b"\r\nFinal-"
        ),
        Report("<m@x>", {BOB: WHY}),
    ),
    "only late": (report("<m@x>", ANN, action="delayed"), Report("<m@x>", {})),
    "of nobody knows which": (report("", ANN), None),
    "an answer of a person": (b"From: a@x.example\r\nSubject: Re: Invoice\r\n\r\nThanks!\r\n", None),
    "empty": (b"", None),
    "bytes": (bytes(range(256)) * 20, None),
    "cut off": (report("<m@x>", ANN)[:300], None),
}


@pytest.mark.parametrize(("content", "expected"), MAILS.values(), ids=MAILS)
def test_what_a_mail_says(content: bytes, expected: Report | None) -> None:
    assert parse_report(content) == expected


# What it does to the outbox


def test_a_message_that_comes_back_for_everybody_has_bounced(ready: Lake, folder: Path) -> None:
    run(ready)
    (folder / "new" / "1").write_bytes(report(str(mail(ready)["message_id"]), ANN, BOB.upper()))
    found = run(ready, days=1, bounces=folder)
    assert (found.bounced, found.sent) == (1, 0)
    assert found.problems == (f"HCS-2026-000001 bounced: not accepted: BOB@Y.EXAMPLE: {WHY}; {ANN}: {WHY}",)


@pytest.mark.parametrize(
    ("who", "status"), [((), None), ((ANN,), "sent"), ((ANN, BOB), "bounced")], ids=["nobody", "one", "both"]
)
def test_what_did_not_reach_everybody_is_listed(
    ready: Lake, folder: Path, who: tuple[str, ...], status: str | None
) -> None:
    export(ready, ready.ledger, at=NOW)
    run(ready)
    (folder / "1").write_bytes(report(str(mail(ready)["message_id"]), *who))
    run(ready, days=1, bounces=folder)
    listed = ready.query("select number, status from measure.undelivered")
    assert listed == ([{"number": "HCS-2026-000001", "status": status}] if status else [])


def test_a_message_that_one_of_two_has_is_sent_and_the_other_is_named(ready: Lake, folder: Path) -> None:
    run(ready)
    (folder / "cur" / "1").write_bytes(report(str(mail(ready)["message_id"]), BOB))
    found = run(ready, days=1, bounces=folder)
    assert (found.bounced, mail(ready)["status"]) == (0, "sent")
    assert found.problems == (f"HCS-2026-000001 sent: not accepted: {BOB}: {WHY}",)


def test_reports_add_up_and_each_counts_once_also_after_it_is_sent_again(ready: Lake, folder: Path) -> None:
    run(ready)
    for name, who in (("1", ANN), ("2.eml", BOB)):
        (folder / name).write_bytes(report(str(mail(ready)["message_id"]), who))
    assert [run(ready, days=1, bounces=folder).bounced for _ in range(2)] == [1, 1]
    assert run(ready, days=2, resend=["inv-1"]) == DeliverReport(sent=1)
    assert run(ready, days=3, bounces=folder) == DeliverReport()


def test_mail_that_is_not_ours_changes_nothing(ready: Lake, folder: Path) -> None:
    run(ready)
    letter = EmailMessage()
    letter["Subject"] = "Re: Invoice"
    for name, content in (("1", report("<other@x>", ANN)), ("2", bytes(letter)), (".hidden", b"x")):
        (folder / "new" / name).write_bytes(content)
    assert run(ready, days=1, bounces=folder) == DeliverReport()


def test_a_folder_that_is_not_there_is_named_and_nothing_is_sent(ready: Lake, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="nowhere cannot be read"):
        run(ready, bounces=tmp_path / "nowhere")
    assert emails(ready) == {}


def test_the_folder_of_the_settings_is_read_whenever_something_is_sent(ready: Lake, folder: Path) -> None:
    run(ready)
    (folder / "new" / "1").write_bytes(report(str(mail(ready)["message_id"]), ANN, BOB))
    masters = Masters(sellers={}, customers={})
    settings = Settings(ready.home, bounces=folder)
    assert Desk(settings, ready.ledger, ready, masters, NOW + DAY).deliver().bounced == 1


# What the server says at once


def test_who_is_refused_for_now_gets_it_later_and_nobody_gets_it_twice(ready: Lake) -> None:
    sink = Sink(rcpt={BOB: "450 busy"})
    with smtp_server(sink) as url:
        first = run(ready, url)
        assert (first.sent, first.waiting, mail(ready)["pending"]) == (0, 1, BOB)
        sink.rcpt = {}
        assert run(ready, url, days=1) == DeliverReport(sent=1)
    assert [
        (to, message["To"]) for (_, to, _), message in zip(sink.arrived, sink.messages(), strict=True)
    ] == [
        ((ANN,), f"{ANN}, {BOB}"),
        ((BOB,), f"{ANN}, {BOB}"),
    ]


def test_who_is_refused_for_good_is_not_asked_again(ready: Lake) -> None:
    sink = Sink(rcpt={ANN: "550 who", BOB: "450 busy"})
    with smtp_server(sink) as url:
        assert run(ready, url).waiting == 1
        sink.rcpt = {}
        found = run(ready, url, days=1)
    assert [to for _, to, _ in sink.arrived] == [(BOB,)]
    assert (found.sent, found.problems) == (1, (f"HCS-2026-000001 sent: not accepted: {ANN}: 550 who",))


GIVEN_UP = {
    "one has it": ({BOB: "450 busy"}, "sent"),
    "nobody has it": ({ANN: "550 who", BOB: "450 busy"}, "failed"),
}


@pytest.mark.parametrize(("refused", "status"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_who_is_never_accepted_is_given_up(ready: Lake, refused: dict[str, str], status: str) -> None:
    with smtp_server(Sink(rcpt=refused)) as url:
        for day in range(ATTEMPTS):
            run(ready, url, days=day)
    assert (mail(ready)["status"], mail(ready)["pending"]) == (status, "")
    assert mail(ready)["error"] == f"not accepted: {BOB}: 450 busy"


def test_what_is_refused_for_those_who_waited_was_sent_to_the_others(ready: Lake, folder: Path) -> None:
    sink = Sink(rcpt={BOB: "450 busy"})
    with smtp_server(sink) as url:
        run(ready, url)
        sink.rcpt, sink.data = {}, ["554 spam"]
        run(ready, url, days=1)
    assert (mail(ready)["status"], mail(ready)["error"]) == (
        "sent",
        f"not accepted: {BOB}: refused: 554 spam",
    )
    (folder / "new" / "1").write_bytes(report(str(mail(ready)["message_id"]), ANN))
    assert run(ready, days=2, bounces=folder).bounced == 1


def test_a_refusal_and_a_report_together_leave_nobody(ready: Lake, folder: Path) -> None:
    with smtp_server(Sink(rcpt={ANN: "550 who"})) as url:
        run(ready, url)
    (folder / "new" / "1").write_bytes(report(str(mail(ready)["message_id"]), BOB))
    assert run(ready, days=1, bounces=folder).bounced == 1


def test_whoever_sends_it_again_sends_it_to_all(ready: Lake) -> None:
    sink = Sink(rcpt={BOB: "450 busy"})
    with smtp_server(sink) as url:
        run(ready, url)
        sink.rcpt = {}
        assert run(ready, url, resend=["inv-1"]) == DeliverReport(sent=1)
    assert [to for _, to, _ in sink.arrived] == [(ANN,), (ANN, BOB)]
