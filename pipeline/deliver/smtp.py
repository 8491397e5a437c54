"""Hands one message to an SMTP server and says what became of it.

The steps are taken one by one, because what a lost connection means depends on the step: before the message's content
nothing has been sent; after it nobody can know, and that is ``unknown``, never a reason to send again.
"""

import contextlib
import ipaddress
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pipeline.errors import DeliveryError

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_SECONDS = 30
_EXAMPLE = "smtp+starttls://user:password@mail.example.com:587"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes. The password is in no ``repr``."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``sent``, ``failed`` (refused for good), ``queued`` (may be tried again) or ``unknown``; and why.

    ``refused`` are the recipients that were refused for good, each with the reason; where others were refused for now,
    ``later`` names them likewise, and the message is ``queued`` for those alone.
    """

    status: str
    note: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)


def parse_url(url: str) -> Server:
    """The server of ``smtp://``, ``smtps://`` or ``smtp+starttls://``, with ``user:password@`` where it wants a login.

    Raises:
        DeliveryError: the URL is wrong, or would send a password in the clear. It is never repeated in the message.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        msg = f"TOLLBOOK_SMTP_URL is not understood. Write it like {_EXAMPLE}, with smtp://, smtps:// or smtp+starttls://."
        raise DeliveryError(msg)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and parts.scheme == "smtp" and not _loopback(parts.hostname):
        msg = f"TOLLBOOK_SMTP_URL would send a password in the clear. Write it like {_EXAMPLE}."
        raise DeliveryError(msg)
    return Server(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], user, password)


class Mailer:
    """A connection that is opened when it is needed and opened again when it was lost."""

    def __init__(self, server: Server, helo: str, timeout: float = _SECONDS) -> None:
        self.server = server
        self._helo = helo
        self._timeout = timeout
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> None:
        """Connects and logs in.

        Raises:
            DeliveryError: no connection, no trust or no login; the message holds no secret.
        """
        if self._smtp is not None:
            return
        where = f"{self.server.host}:{self.server.port}"
        try:
            self._smtp = self._connect()
        except smtplib.SMTPAuthenticationError as error:
            msg = f"the mail server {where} refuses the login ({error.smtp_code}). Check TOLLBOOK_SMTP_URL."
            raise DeliveryError(msg) from None
        except ssl.SSLError as error:
            msg = f"the mail server {where} cannot be trusted ({error.reason or 'TLS error'}). Nothing was sent to it."
            raise DeliveryError(msg) from None
        except (OSError, smtplib.SMTPException) as error:
            msg = f"the mail server {where} cannot be used ({self._said(error)}). What waits is tried at the next run."
            raise DeliveryError(msg) from None

    def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Outcome:
        """Sends one message over the open connection."""
        smtp = self._smtp
        assert smtp is not None
        try:
            code, reply = smtp.mail(sender)
            if not _positive(code):
                return self._refused(code, reply)
            refused = {}
            for recipient in recipients:
                code, reply = smtp.rcpt(recipient)
                if not _positive(code):
                    refused[recipient] = (code, reply)
            if len(refused) == len(recipients):
                self._reset()
                return self._partly("failed", refused)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Outcome("queued", f"connection lost before the message was sent ({self._said(error)})")
        return self._content(smtp, content, refused)

    def close(self) -> None:
        """Leaves politely where that is still possible."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        server = self.server
        context = ssl.create_default_context()
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, local_hostname=self._helo, timeout=self._timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, local_hostname=self._helo, timeout=self._timeout)
        try:
            if server.scheme == "smtp+starttls":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _content(
        self, smtp: smtplib.SMTP, content: bytes, refused: Mapping[str, tuple[int, bytes]]
    ) -> Outcome:
        try:
            code, reply = smtp.data(content)
        except smtplib.SMTPDataError as error:
            return self._refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            lost = f"connection lost while the message was being sent ({self._said(error)})"
            return Outcome("unknown", f"{lost}; it may have arrived. Ask, then resend it if it has not.")
        if not _positive(code):
            return self._refused(code, reply)
        return self._partly("sent", refused)

    def _partly(self, status: str, refused: Mapping[str, tuple[int, bytes]]) -> Outcome:
        """What it is where these were refused, some of them perhaps only for now."""
        why = {who: f"{code} {self._text(reply)}" for who, (code, reply) in refused.items()}
        note = f"not accepted: {'; '.join(f'{who}: {text}' for who, text in why.items())}" if why else ""
        later = {who: why[who] for who, (code, _) in refused.items() if _transient(code)}
        lost = {who: text for who, text in why.items() if who not in later}
        return Outcome("queued" if later else status, note, lost, later)

    def _refused(self, code: int, reply: bytes | str) -> Outcome:
        self._reset()
        return Outcome("queued" if _transient(code) else "failed", f"refused: {code} {self._text(reply)}")

    def _reset(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (OSError, smtplib.SMTPException):
                self.close()

    def _said(self, error: Exception) -> str:
        if isinstance(error, smtplib.SMTPResponseException):
            return f"{error.smtp_code} {self._text(error.smtp_error)}"
        return self._text(str(error)) or type(error).__name__

    def _text(self, reply: bytes | str) -> str:
        """What the server said, in one short line without the password."""
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        if self.server.password:
            text = text.replace(self.server.password, "***")
        return re.sub(r"[\x00-\x20\x7f-\x9f]+", " ", text).strip()[:200]


def _positive(code: int) -> bool:
    return 200 <= code < 300


def _transient(code: int) -> bool:
    return not 500 <= code < 600


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
