"""A token by OAuth: asked for with the partner's login, renewed before it ends, held in memory and nowhere else.

Whoever has a static token needs none of this. The lifetime is counted on our own steady clock, from what the provider's
answer says of it: that the two machines agree on the time is not needed. Tokens are asked for by the hour, because the
provider's own are good for a century.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from pipeline.errors import (
    ForbiddenError,
    ProviderError,
    TerminalError,
    UnauthorizedError,
)
from pipeline.pull import envelope
from pipeline.pull.client import Patience, check_base, error_of, no_json, unanswered
from pipeline.pull.wire import Line, read_body

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
_ACCESS_SECONDS, _REFRESH_SECONDS = 3600, 86_400
_MARGIN, _LEAST_MARGIN = 60.0, 1.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the password grant takes; only the names are shown."""

    client_id: str
    client_secret: str = field(repr=False)
    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Grant:
    """A token for each request: call it. The first one is asked for at the first call.

    Made for ``Client(url, token=Grant(url, credentials))``, whose tries again are for the token's request too.
    """

    base_url: str
    credentials: Credentials
    patience: Patience = field(default_factory=Patience)
    transport: httpx.BaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    _token: str = field(init=False, repr=False, default="")
    _refresh: str = field(init=False, repr=False, default="")
    _good_until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        check_base(self.base_url)
        self.base_url = self.base_url.rstrip("/")

    def __call__(self) -> str:
        """A token that is good for some time yet.

        Raises:
            UnauthorizedError: the credentials are refused.
            ProviderError: no token could be had.
        """
        if not self._token or self.clock() >= self._good_until:
            self._renew()
        return self._token

    def renewed(self, refused: str) -> str:
        """Another token than the one that the provider has refused before its time.

        Raises:
            UnauthorizedError: the credentials are refused too.
            ProviderError: no token could be had.
        """
        if self._token == refused:
            self._token = ""
        return self()

    def _renew(self) -> None:
        if self._refresh:
            try:
                self._take({"grant_type": "refresh_token", "refresh_token_type": "new_token"})
                return
            except TerminalError:
                # Ended or withdrawn: the login is asked for again.
                self._refresh = ""
        self._take({"grant_type": "password"})

    def _take(self, asked: dict[str, str]) -> None:
        begun = self.clock()
        found, date = self._post(self._form(asked))
        token, refresh = found.get("access_token"), found.get("refresh_token")
        if not isinstance(token, str) or not token:
            raise TerminalError(f"POST {self.base_url}{TOKEN_PATH}: the answer has no access_token.")
        seconds = _lifetime(found, date)
        self._good_until = begun + seconds - max(_LEAST_MARGIN, min(_MARGIN, seconds / 5))
        self._token, self._refresh = token, refresh if isinstance(refresh, str) else ""

    def _form(self, asked: dict[str, str]) -> dict[str, str]:
        known = self.credentials
        form = asked | {"client_id": known.client_id, "client_secret": known.client_secret}
        form |= {"access_token_expires_in": str(_ACCESS_SECONDS), "name": "tollbook"}
        if asked["grant_type"] == "password":
            lasting = {"refresh_token_expires_in": str(_REFRESH_SECONDS)}
            return form | lasting | {"username": known.username, "password": known.password}
        return form | {"refresh_token": self._refresh}

    def _post(self, form: dict[str, str]) -> tuple[dict[str, Any], str | None]:
        request, line = f"POST {self.base_url}{TOKEN_PATH}", Line()
        timeout = httpx.Timeout(self.patience.read, connect=self.patience.connect)
        how: dict[str, Any] = {"extensions": {"trace": line.trace}, "headers": {"Accept-Encoding": "gzip"}}
        try:
            with (
                closing(line),
                line.limited(self.patience.page),
                httpx.Client(timeout=timeout, transport=self.transport, follow_redirects=False) as http,
                http.stream("POST", self.base_url + TOKEN_PATH, data=form, **how) as response,
            ):
                body = read_body(response.iter_raw(), response.headers.get("content-encoding", ""), request)
        except httpx.RequestError as error:
            raise unanswered(request, error) from None
        if response.status_code != 200:
            raise _refused(error_of(response.status_code, body, request))
        return _object(body, request), response.headers.get("date")


def _refused(error: ProviderError) -> ProviderError:
    if not isinstance(error, UnauthorizedError | ForbiddenError) and error.status != 400:
        return error
    msg = (
        f"{error.request}: the provider gives no token (HTTP {error.status}). Check TOLLBOOK_OAUTH_CLIENT_ID, "
        "_CLIENT_SECRET, _USERNAME and _PASSWORD, and that the partner may have tokens (oauth.manage)."
    )
    return UnauthorizedError(msg, status=error.status, request=error.request)


def _object(body: bytes, request: str) -> dict[str, Any]:
    try:
        found = envelope.decode(body)
    except envelope.REFUSED:
        raise no_json(request) from None
    if not isinstance(found, dict):
        raise TerminalError(f"{request}: the answer is no object.")
    return found


def _lifetime(found: Mapping[str, Any], date: str | None) -> float:
    """Seconds that a token is good for, by the provider's clock.

    From the later of its creation and the answer's date: a prolonged token is older than its answer, and a server may
    date its answers by a clock that it looks at now and then.
    """
    try:
        ends = _instant(found["date_expiration_access_token"])
        begins = _instant(found["date_created"])
        begins = max(begins, parsedate_to_datetime(date)) if date else begins
    except (KeyError, TypeError, ValueError):
        return float(_ACCESS_SECONDS)
    return max(0.0, (ends - begins).total_seconds())


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
