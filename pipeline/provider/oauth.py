"""Tokens: the one that the sandbox was started with, which never expires, and those that it issues, which do.

Tokens guard real requests, so they live by the real clock and not by the world's.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.partners import SCOPES
from pipeline.provider.resources import world_of
from pipeline.provider.traffic import stamp, to_ms
from pipeline.provider.wire import Refusal, as_json, bad_request

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-client-secret"
PASSWORD = "sandbox-password"  # noqa: S105 - it opens nothing but the sandbox
_A_CENTURY = 100 * 365 * 86_400


@dataclass(slots=True)
class Issued:
    """A token that was issued; the ends are seconds since 1970."""

    access: str
    refresh: str
    name: str
    created: float
    access_ends: float
    refresh_ends: float


class Tokens:
    """Every token that opens the sandbox. ``expires`` caps what is issued, in seconds; 0 does not."""

    def __init__(self, static: str, clock: Callable[[], float] = time.time) -> None:
        self._static = static
        self._clock = clock
        self._issued: list[Issued] = []

    def accepts(self, authorization: bytes) -> bool:
        """Whether a header opens the Core."""
        now = self._clock()
        alive = [token.access for token in self._issued if now < token.access_ends]
        return any(hmac.compare_digest(authorization, f"Bearer {t}".encode()) for t in (self._static, *alive))

    def issue(self, form: dict[str, str], expires: float) -> Issued:
        """A token for these credentials; a ``Refusal`` where they are not right."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise Refusal(401, "Bad credentials")
        kind = form.get("grant_type")
        if kind == "password":
            return self._new(form, expires)
        if kind != "refresh_token":
            raise bad_request("grant_type must be password or refresh_token")
        return self._renewed(form, expires)

    def _new(self, form: dict[str, str], expires: float) -> Issued:
        now = self._clock()
        token = Issued(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            form.get("name", "token"),
            now,
            now + _lifetime(form, "access_token_expires_in", expires),
            now + _lifetime(form, "refresh_token_expires_in", 0),
        )
        self._issued.append(token)
        return token

    def _renewed(self, form: dict[str, str], expires: float) -> Issued:
        now, sent = self._clock(), form.get("refresh_token", "")
        held = next((t for t in self._issued if t.refresh == sent and now < t.refresh_ends), None)
        if held is None:
            raise Refusal(401, "Bad credentials")
        kind = form.get("refresh_token_type", "access_token")
        if kind == "new_token":
            return self._new(form, expires)
        if kind == "access_token":
            held.access_ends = now + _lifetime(form, "access_token_expires_in", expires)
        elif kind == "refresh_token":
            held.refresh_ends = now + _lifetime(form, "refresh_token_expires_in", 0)
        else:
            raise bad_request("refresh_token_type must be access_token, new_token or refresh_token")
        return held


def _lifetime(form: dict[str, str], name: str, cap: float) -> float:
    text = form.get(name, str(_A_CENTURY))
    if not text.isdecimal():
        raise bad_request(f"{name} must be a number of seconds")
    return min(int(text), cap) if cap else int(text)


def oauth_routes() -> list[BaseRoute]:
    """``POST /oauth/token``."""
    return [Route(TOKEN_PATH, _token, methods=["POST"])]


async def _token(request: Request) -> Response:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refusal(415, "unsupported media type")
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    world, tokens = world_of(request), request.app.state.tokens
    owner = world.partners[0].record
    if form.get("grant_type") == "password":
        right = (owner["login"], PASSWORD)
        if (form.get("username"), form.get("password")) != right:
            raise Refusal(401, "Bad credentials")
    return as_json(_shown(tokens.issue(form, world.faults.token_expires), owner))


def _shown(token: Issued, owner: dict[str, Any]) -> dict[str, Any]:
    return {
        "access_token": token.access,
        "client_id": CLIENT_ID,
        "date_created": _stamp(token.created),
        "date_expiration_access_token": _stamp(token.access_ends),
        "date_expiration_refresh_token": _stamp(token.refresh_ends),
        "date_last_accessed": None,
        "ip_last_accessed": None,
        "name": token.name,
        "partner_sid": owner["partner_sid"],
        "refresh_token": token.refresh,
        "scopes": list(SCOPES),
        "token_sid": f"token-{token.created:.3f}",
        "token_type": "bearer",
    }


def _stamp(seconds: float) -> str:
    return stamp(to_ms(datetime.fromtimestamp(seconds, UTC)))
