"""One door to the provider's API: bearer auth, timeouts, bounded retries, every error dialect as one typed error.

The token goes into the header and nowhere else. Redirects and links in answers are never followed: a token must not
reach a host that a response names. Bodies are bounded in size and time, decompressed ones too.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
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
from pipeline.pull.dialects import FORBIDDEN, NOT_FOUND, read_refusal

MAX_BODY_BYTES = 256 * 1024 * 1024
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}
_json = msgspec.json.Decoder(float_hook=str)
T = TypeVar("T")
# We report retries ourselves; the library would print them.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try: seconds, and tries in all."""

    connect: float = 10
    read: float = 60
    page: float = 180
    attempts: int = 6
    backoff_max: float = 30


@dataclass(slots=True)
class Client:
    """A client of one base URL, such as ``https://api.carrierx.com/core/v2``."""

    base_url: str
    token: str = field(repr=False)
    patience: Patience = Patience()
    transport: httpx.BaseTransport | None = None
    on_retry: Callable[[str], None] = lambda _text: None
    requests: int = 0
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_base(self.base_url)
        self.base_url = self.base_url.rstrip("/")
        timeout = httpx.Timeout(self.patience.read, connect=self.patience.connect)
        self._http = httpx.Client(
            timeout=timeout, transport=self.transport, follow_redirects=False, trust_env=True
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
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
        """A list envelope; ``unreadable`` holds the bytes of items that cannot be decoded, and why."""
        return self._retried(path, params, _envelope)

    def _retried(self, path: str, params: Mapping[str, Any] | None, read: Callable[[bytes, str], T]) -> T:
        tries = self.patience.attempts
        for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=tries, timeout=None, wait_max=self.patience.backoff_max
        ):
            with attempt:
                if attempt.num > 1:
                    self.on_retry(f"try {attempt.num} of {tries}: GET {path}")
                body, request = self._fetch(path, params)
                return read(body, request)
        raise AssertionError("unreachable")

    def _fetch(self, path: str, params: Mapping[str, Any] | None) -> tuple[bytes, str]:
        self.requests += 1
        request = f"GET {self.base_url}{path}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip"}
        try:
            with self._http.stream("GET", self.base_url + path, params=params, headers=headers) as response:
                body = _bounded(response, self.patience.page, request)
        except httpx.TransportError as error:
            msg = (
                f"{request}: {type(error).__name__}. Is the provider reachable from here, and the URL right?"
            )
            raise TransientError(msg, request=request) from None
        if response.status_code != 200:
            raise error_of(response.status_code, body, request, response.headers.get("retry-after"))
        return body, request


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
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _worth_another_try(error: Exception) -> bool | float:
    if not isinstance(error, TransientError):
        return False
    wait = error.retry_after_seconds
    return True if wait is None else min(wait, 120.0)


def _check_base(url: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme == "https" or (parts.scheme == "http" and loopback):
        return
    msg = f"TOLLBOOK_API_URL is {url!r}: it must be https://.../core/v2 (http only for this machine itself)."
    raise SettingsError(msg)


def _bounded(response: httpx.Response, seconds: float, request: str) -> bytes:
    """Reads a body within its time and size: a slow server must not hold a run for ever."""
    deadline, parts, size = time.monotonic() + seconds, [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_BODY_BYTES:
            msg = f"{request}: the answer is larger than {MAX_BODY_BYTES} bytes and was dropped."
            raise TerminalError(msg, request=request)
        if time.monotonic() > deadline:
            msg = f"{request}: the answer took longer than {seconds:g} s."
            raise TransientError(msg, request=request)
        parts.append(part)
    return b"".join(parts)


def _decode(body: bytes, request: str) -> Any:
    try:
        return _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        msg = f"{request}: the answer is not JSON (cut short, or a page of a proxy)."
        raise TransientError(msg, request=request) from None


def _envelope(body: bytes, request: str) -> dict[str, Any]:
    """A list envelope. Items that are JSON but no text (a lone surrogate) come as bytes under ``unreadable``."""
    try:
        envelope = _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        envelope = _lenient(body, request)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("items"), list):
        msg = f"{request}: the answer is no list."
        raise TerminalError(msg, request=request)
    return envelope


def _lenient(body: bytes, request: str) -> Any:
    """The slow way for a page that the fast decoder refuses: what is readable is kept, item by item."""
    try:
        envelope = json.loads(
            body, parse_float=str, parse_int=lambda text: int(text) if len(text) < 20 else text
        )
        items = envelope["items"]
    except (ValueError, TypeError, KeyError, RecursionError):
        msg = f"{request}: the answer is not JSON (cut short, or a page of a proxy)."
        raise TransientError(msg, request=request) from None
    readable, unreadable = [], []
    for item in items:
        try:
            msgspec.json.encode(item)
            readable.append(item)
        except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
            unreadable.append((json.dumps(item).encode(), "not readable: holds text that is no Unicode"))
    return envelope | {"items": readable, "unreadable": tuple(unreadable)}


_SCOPES = {
    "/calls/call_drs": "calls.read (and calls.read_descendant for sub-partners)",
    "/sms/": "sms.read (and sms.read_descendant for sub-partners)",
    "/invoices": "invoices.read",
    "/partners": "partners.read",
    "/phonenumber": "phonenumber.read",
    "/endpoints": "endpoints.read",
    "/countries": "countries.read",
    "/calls/rates": "calls.read",
}


def _scope(request: str) -> str:
    return next((scope for path, scope in _SCOPES.items() if path in request), "the scope of this resource")
