"""One door to the provider's API: bearer auth, timeouts, bounded retries, every error dialect as one typed error.

The token goes into the header and nowhere else. Redirects and links in answers are never followed: a token must not
reach a host that a response names. Bodies are bounded in size and time, decompressed ones too.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import stamina

from pipeline.errors import (
    ForbiddenError,
    NotFoundError,
    ProviderError,
    SettingsError,
    TerminalError,
    TransientError,
    UnauthorizedError,
)
from pipeline.pull import envelope
from pipeline.pull.cut import cut
from pipeline.pull.dialects import FORBIDDEN, NOT_FOUND, read_refusal
from pipeline.pull.straight import straight
from pipeline.pull.wire import Line, keep_memory, read_body

_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE = 120.0
_ERROR_BYTES = 64 * 1024
T = TypeVar("T")
# We report retries ourselves; the library would print them.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try: seconds, and tries in all.

    ``page`` is for one answer as a whole, ``total`` for all its tries: no new one begins after that. The longest that
    one call can take is therefore ``total + page``.
    """

    connect: float = 10
    read: float = 60
    page: float = 180
    total: float = 900
    attempts: int = 6
    backoff_first: float = 0.1
    backoff_max: float = 30


class Renewing(Protocol):
    """Gives a token that is still good; ``renewed`` another one than that which the provider has refused."""

    def __call__(self) -> str: ...
    def renewed(self, refused: str) -> str: ...


@dataclass(slots=True)
class Client:
    """A client of one base URL, such as ``https://api.carrierx.com/core/v2``.

    ``token`` is the text behind the scheme, or what gives one; that is asked for each request, and once more where the
    provider has withdrawn it in the middle of a walk.
    """

    base_url: str
    token: str | Renewing = field(repr=False)
    patience: Patience = Patience()
    transport: httpx.BaseTransport | None = None
    on_retry: Callable[[str], None] = lambda _text: None
    scheme: str = "Bearer"
    requests: int = 0
    _line: Line = field(init=False, repr=False, default_factory=Line)
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_base(self.base_url)
        keep_memory()
        self.base_url = self.base_url.rstrip("/")
        self._http = self._connected()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """A decoded JSON answer; numbers with a fraction come as their text.

        Raises:
            ProviderError: typed by what it means; transient ones only after all tries.
        """
        return self._retried(path, params, _decode)

    def get_bytes(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The body as it comes, for CSV and documents."""
        return self._retried(path, params, lambda body, _request: body)

    def get_page(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """A list envelope; its items are a ``Cut`` where they allow it, ``unreadable`` those that cannot be decoded.

        An item is unreadable when two answers say so: the first may have been damaged on its way.
        """
        doubted: set[bytes] = set()
        return self._retried(path, params, lambda body, request: cut(body) or page_of(body, request, doubted))

    def post_form(self, path: str, fields: Mapping[str, str]) -> None:
        """Asks for something to be done, once: what no answer came to may have been done.

        Raises:
            ProviderError: it was refused, or nobody knows.
        """
        token = self.token if isinstance(self.token, str) else self.token()
        request = f"POST {self.base_url}{path}"
        try:
            answer = self._http.post(
                self.base_url + path, data=dict(fields), headers={"Authorization": f"{self.scheme} {token}"}
            )
        except httpx.RequestError as error:
            raise unanswered(request, error) from None
        if not answer.is_success:
            raise error_of(answer.status_code, answer.content[:_ERROR_BYTES], request)

    def _retried(self, path: str, params: Mapping[str, Any] | None, read: Callable[[bytes, str], T]) -> T:
        patience = self.patience
        for attempt in stamina.retry_context(
            on=_worth_another_try,
            attempts=patience.attempts,
            timeout=patience.total,
            wait_initial=patience.backoff_first,
            wait_max=patience.backoff_max,
            wait_jitter=min(1.0, patience.backoff_max),
        ):
            with attempt:
                if attempt.num > 1:
                    self.on_retry(f"try {attempt.num} of {patience.attempts}: GET {path}")
                    self._reconnect()
                body, request = self._fetch(path, params)
                return read(body, request)
        raise AssertionError("unreachable")

    def _fetch(self, path: str, params: Mapping[str, Any] | None) -> tuple[bytes, str]:
        self.requests += 1
        request = f"GET {self.base_url}{path}"
        with self._line.limited(self.patience.page) as late:
            try:
                return self._answer(path, params, request), request
            except httpx.RequestError as error:
                raise unanswered(request, error, self.patience.page if late.is_set() else None) from None

    def _answer(self, path: str, params: Mapping[str, Any] | None, request: str) -> bytes:
        if isinstance(self.token, str):
            return self._ask(path, params, request, self.token)
        token = self.token()
        try:
            return self._ask(path, params, request, token)
        except UnauthorizedError:
            self.on_retry(f"the token was refused; with another: GET {path}")
            return self._ask(path, params, request, self.token.renewed(token))

    def _ask(self, path: str, params: Mapping[str, Any] | None, request: str, token: str) -> bytes:
        headers = {"Authorization": f"{self.scheme} {token}", "Accept-Encoding": "gzip"}
        how: dict[str, Any] = {"headers": headers, "extensions": {"trace": self._line.trace}}
        with self._http.stream("GET", self.base_url + path, params=params, **how) as response:
            encoding = response.headers.get("content-encoding", "")
            if response.status_code == 200:
                return read_body(response.iter_raw(), encoding, request)
            body = b""
            with suppress(ProviderError, httpx.RequestError):
                # What an error says is welcome, that it is one is certain.
                body = read_body(response.iter_raw(), encoding, request)[:_ERROR_BYTES]
            raise error_of(response.status_code, body, request, response.headers.get("retry-after"))

    def _connected(self) -> httpx.Client:
        timeout = httpx.Timeout(self.patience.read, connect=self.patience.connect)
        transport = self.transport or straight()
        return httpx.Client(timeout=timeout, transport=transport, follow_redirects=False, trust_env=True)

    def _reconnect(self) -> None:
        """New connections: after an answer that was wrong, nothing that is left in the old ones is read as the next."""
        if self.transport is None:
            self._http.close()
            self._http = self._connected()


def unanswered(request: str, error: httpx.RequestError, seconds: float | None = None) -> ProviderError:
    """The error of a request that no answer came to. A certificate that is wrong now is wrong in a minute too."""
    if (problem := _certificate(error)) is not None:
        msg = (
            f"{request}: the server's certificate is not trusted ({problem}), and nothing was sent. Check the URL, the "
            "date of this machine and its certificates (SSL_CERT_FILE names others)."
        )
        return TerminalError(msg, request=request)
    if seconds is not None:
        return TransientError(f"{request}: the answer took longer than {seconds:g} s.", request=request)
    msg = f"{request}: {type(error).__name__}. Is the provider reachable from here, and the URL right?"
    return TransientError(msg, request=request)


def _certificate(error: BaseException | None) -> str | None:
    """What is wrong with the certificate, if that is what is wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def error_of(status: int, body: bytes, request: str, retry_after: str | None = None) -> ProviderError:
    """The typed error of an answer other than 200. A code, where there is one, says more than the status."""
    refusal = read_refusal(body)
    named: dict[str, Any] = {
        "status": status,
        "code": refusal.code,
        "details": refusal.details,
        "request": request,
    }
    text = "; ".join((refusal.message, *refusal.details[:3]))
    if status == 401:
        msg = f"the provider refuses the token ({refusal.message}). Set TOLLBOOK_API_TOKEN to a valid one."
        return UnauthorizedError(msg, **named)
    if status == 403 or refusal.kind == FORBIDDEN:
        msg = f"{request}: permission denied ({text}). The token lacks a scope: ask for {_scope(request)}."
        return ForbiddenError(msg, **named)
    if status == 404 or refusal.kind == NOT_FOUND:
        return NotFoundError(f"{request}: {text}", **named)
    if status in _TRANSIENT or status >= 500:
        return TransientError(
            f"{request}: HTTP {status}, {text}", retry_after_seconds=_seconds(retry_after), **named
        )
    return TerminalError(f"{request}: HTTP {status}, {text}", **named)


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds, whether it is a count or a date."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _worth_another_try(error: Exception) -> bool | float:
    if not isinstance(error, TransientError):
        return False
    wait = error.retry_after_seconds
    return True if wait is None else min(wait, _LONGEST_PAUSE)


def check_base(url: str, setting: str = "TOLLBOOK_API_URL", ending: str = "/core/v2") -> None:
    """Refuses a base URL that would send secrets in the clear; this machine itself is the exception."""
    parts = urlsplit(url)
    loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme == "https" or (parts.scheme == "http" and loopback):
        return
    msg = f"{setting} is {url!r}: it must be https://...{ending} (http only for this machine itself)."
    raise SettingsError(msg)


def _decode(body: bytes, request: str) -> Any:
    try:
        return envelope.decode(body)
    except envelope.REFUSED:
        raise no_json(request) from None


def page_of(body: bytes, request: str, doubted: set[bytes]) -> dict[str, Any]:
    """A list envelope, the slow way where the fast one fails on the same items twice."""
    try:
        found = envelope.decode(body)
    except envelope.REFUSED:
        found = _doubtful(body, request, doubted)
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        msg = f"{request}: the answer is no list."
        raise TerminalError(msg, request=request)
    return found


def _doubtful(body: bytes, request: str, doubted: set[bytes]) -> dict[str, Any]:
    try:
        found = envelope.decode_by_item(body)
    except ValueError:
        raise no_json(request) from None
    raw = {item.raw for item in found["unreadable"]}
    if not raw <= doubted:
        doubted |= raw
        raise no_json(request)
    return found


def no_json(request: str) -> TransientError:
    """An answer that was cut short is worth another try."""
    msg = f"{request}: the answer is not JSON (cut short, or a page of a proxy)."
    return TransientError(msg, request=request)


_SCOPES = {
    "/calls/call_drs": "calls.read (and calls.read_descendant for sub-partners)",
    "/sms/": "sms.read (and sms.read_descendant for sub-partners)",
    "/invoices": "invoices.read",
    "/billing_method": "partners.billing_method.read",
    "/partners": "partners.read",
    "/phonenumber": "phonenumber.read",
    "/endpoints": "endpoints.read",
    "/countries": "countries.read",
    "/calls/rates": "calls.read",
    "/trunk_groups": "trunk_groups.read and trunk_groups.trunks.read",
    "/accesscontrol": "accesscontrol.read",
    "/batch": "batch.read",
    "/lookup": "lookup.dids.read",
}


def _scope(request: str) -> str:
    return next((scope for path, scope in _SCOPES.items() if path in request), "the scope of this resource")
