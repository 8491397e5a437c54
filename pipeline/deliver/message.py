"""One e-mail as bytes. The same invoice makes the same bytes, and no text can become a header or a recipient.

Only ``EmailMessage`` and ``headerregistry.Address`` build headers: they refuse line ends where older interfaces write
them out. Folding a line, though, that library loses blanks between words that are not ASCII ("229,44 €,fällig") and
whole quoted names: such a subject is written as encoded words throughout, and the sender on one line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from pathlib import Path
from typing import Any

from pipeline.deliver.documents import Documents
from pipeline.errors import DeliveryError

# One plain address and nothing else: no display name, comment, quoting, list or non-ASCII look-alike.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@.{{1,255}}\Z){_LOCAL}@{_LABEL}(?:\.{_LABEL})+\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_TYPES = {
    ".csv": ("text", "csv"),
    ".parquet": ("application", "vnd.apache.parquet"),
    ".xml": ("application", "xml"),
}
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class _Folded(EmailPolicy):
    """Writes each header so that it is read as it was meant."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "Subject" and not value.isascii():
            words = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
            return f"{name}: {words}{self.linesep}".encode("ascii")
        if name == "From":
            return SMTP.clone(max_line_length=None).fold_binary(name, value)
        return super().fold_binary(name, value)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends to whom, under which id and date."""

    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    reply_to: str
    message_id: str
    date: datetime


def is_address(text: str) -> bool:
    """Whether ``text`` is exactly one plain e-mail address."""
    return _ADDRESS.match(text) is not None


def file_name(number: str, fallback: str) -> str:
    """``number`` where it can name a file anywhere, else ``fallback``, an id of ours."""
    return number if _FILE_NAME.match(number) and ".." not in number else fallback


def build(envelope: Envelope, documents: Documents, name: str) -> bytes:
    """The message, ready to be sent. ``name`` is what its attachments are called.

    Raises:
        DeliveryError: an address is not one plain address.
    """
    addresses = (envelope.sender, *envelope.recipients, *filter(None, [envelope.reply_to]))
    for address in addresses:
        if not is_address(address):
            msg = f"{address!r} is not one plain e-mail address. Correct it and send again."
            raise DeliveryError(msg)
    message = EmailMessage(policy=_Folded(linesep=SMTP.linesep))
    message["From"] = Address(_one_line(envelope.sender_name), addr_spec=envelope.sender)
    message["To"] = [Address(addr_spec=address) for address in envelope.recipients]
    if envelope.reply_to and envelope.reply_to != envelope.sender:
        message["Reply-To"] = Address(addr_spec=envelope.reply_to)
    message["Subject"] = _one_line(documents.subject)
    message["Date"] = envelope.date
    message["Message-ID"] = envelope.message_id
    message.set_content(documents.text, cte="quoted-printable")
    message.add_alternative(documents.html, subtype="html", cte="quoted-printable")
    message.add_attachment(documents.pdf, maintype="application", subtype="pdf", filename=f"{name}.pdf")
    for part, content in documents.files.items():
        maintype, subtype = _TYPES[Path(part).suffix]
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=f"{name}-{part}")
    _fix_boundaries(message, envelope.message_id)
    return message.as_bytes()


def _fix_boundaries(message: EmailMessage, message_id: str) -> None:
    """Boundaries from the message's own id, for the library's are drawn by chance."""
    seed = re.sub(r"[^A-Za-z0-9]", "", message_id)[:40]
    parts: Sequence = [part for part in message.walk() if part.is_multipart()]
    for n, part in enumerate(parts):
        part.set_boundary(f"=_{seed}_{n}")


def _one_line(text: str) -> str:
    """Text for a header. ``=?`` is taken apart: the library decodes encoded words, and line ends hide in them."""
    return " ".join(_UNPRINTABLE.sub(" ", text).replace("=?", "= ?").split())
