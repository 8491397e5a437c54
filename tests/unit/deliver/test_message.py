"""One message: to exactly whom, about exactly what, in exactly the same bytes each time."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from pipeline.deliver.documents import Documents
from pipeline.deliver.message import Envelope, build, file_name, is_address
from pipeline.errors import DeliveryError
from tests.fixtures.hostile import ADDRESSES, HEADERS, PATHS
from tests.fixtures.invoices import NOW

DOCUMENTS = Documents(
    subject="Invoice HCS-2026-000001",
    text="Hello,\n.\nyour invoice\n",
    html="<p>Gr\u00fc\u00dfe</p>\n",
    pdf=b"%PDF-1.7 \x00\xff",
    pdf_sha256="",
    files={"calls.csv": b"line,started\n1,2026-03-02\n"},
)
ENVELOPE = Envelope(
    sender="billing@harbor.example",
    sender_name="Harbor Carrier Services",
    recipients=("a@x.example", "b@y.example"),
    reply_to="help@harbor.example",
    message_id="<mail-1@harbor.example>",
    date=NOW,
)
HEADERS_OF_A_MESSAGE = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
]


def parsed(envelope: Envelope = ENVELOPE, documents: Documents = DOCUMENTS):
    return message_from_bytes(build(envelope, documents, "HCS-2026-000001"), policy=default)


def test_message_carries_both_bodies_and_the_documents() -> None:
    message = parsed()
    parts = [
        (part.get_content_type(), part.get_filename()) for part in message.walk() if not part.is_multipart()
    ]
    assert parts == [
        ("text/plain", None),
        ("text/html", None),
        ("application/pdf", "HCS-2026-000001.pdf"),
        ("text/csv", "HCS-2026-000001-calls.csv"),
    ]
    assert next(part.get_content() for part in message.iter_attachments()) == DOCUMENTS.pdf
    assert message.get_body(("html",)).get_content().splitlines() == DOCUMENTS.html.splitlines()
    assert (message["To"], message["Message-ID"]) == ("a@x.example, b@y.example", "<mail-1@harbor.example>")


def test_same_message_is_the_same_bytes() -> None:
    assert build(ENVELOPE, DOCUMENTS, "n") == build(ENVELOPE, DOCUMENTS, "n")


@pytest.mark.parametrize("text", HEADERS)
def test_no_text_becomes_a_header(text: str) -> None:
    message = parsed(replace(ENVELOPE, sender_name=text), replace(DOCUMENTS, subject=text))
    assert list(message.keys()) == HEADERS_OF_A_MESSAGE
    assert [a.addr_spec for a in message["From"].addresses] == ["billing@harbor.example"]
    assert [a.addr_spec for a in message["To"].addresses] == ["a@x.example", "b@y.example"]


@pytest.mark.parametrize(
    "text",
    [
        "Rechnung NL-2026-000016 von Nordlicht Voice GmbH: 229,44 €, fällig am 17.05.2026",
        "Müller & Söhne Fernmeldegesellschaft, Straße der Kommunikationsdienste",
        "Ä ö ü " * 20 + "ß",
        "Invoice of a plain company whose name is rather long, and which is due on May 17, 2026",
    ],
    ids=["a word beside a sign", "a long name", "words of one letter", "ASCII"],
)
def test_subject_and_sender_are_read_as_they_were_written(text: str) -> None:
    message = parsed(replace(ENVELOPE, sender_name=text), replace(DOCUMENTS, subject=text))
    assert (message["Subject"], message["From"].addresses[0].display_name) == (text, text)


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(DeliveryError, match="not one plain e-mail address"):
        build(replace(ENVELOPE, recipients=("a@x.example", address)), DOCUMENTS, "n")


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example",
        "first.last+tag@sub.domain.example",
        "o'neil@x.example",
        "a_b-c@x-y.example",
        "1@2.example",
    ],
)
def test_plain_addresses_are_taken(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize("name", [*PATHS, "a..b", "x/../y", "HCS-2026-000001\n"])
def test_name_that_could_not_be_a_file_is_replaced(name: str) -> None:
    assert file_name(name, "mail-1") == "mail-1"


def test_number_names_its_files() -> None:
    assert file_name("HCS-2026-000001", "mail-1") == "HCS-2026-000001"
