"""The Mediator: its lists, read with the credentials of the endpoints that have one.

The credentials are found through the Core when they are needed, and are kept nowhere. They go to the provider that is
configured and to no other host, whatever address an endpoint names: an answer must not decide where a password goes.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import ForbiddenError, TerminalError, UnauthorizedError
from pipeline.pull import envelope
from pipeline.pull.client import Client, error_of, no_json
from pipeline.pull.snapshots import listing

_CORE, _MEDIATOR = "/core/v2", "/mediator/v1"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Login:
    """Where the Mediator of an endpoint is, and what opens it."""

    endpoint_sid: str
    base_url: str
    token: str = field(repr=False)


@dataclass(slots=True)
class MediatorClient(Client):
    """A client whose answers come wrapped: ``{"body": ..., "status": 200}``."""

    scheme: str = "Basic"

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """What is inside of an answer.

        Raises:
            ProviderError: as the Core's, also where only the inner status tells of a failure.
        """
        return self._retried(path, params, _unwrapped)


def mediator_list(client: Client, path: str, key: str) -> list[dict[str, Any]]:
    """A list of the Mediator over all endpoints that have one, each item with its ``endpoint_sid``.

    Raises:
        ForbiddenError: the credentials of an endpoint are refused, or it shows none. Nothing of a list that cannot be
            read whole is given: what is missing would look as if it were gone.
    """
    return [
        item | {"endpoint_sid": login.endpoint_sid}
        for login in _logins(client)
        for item in _read(client, login, path, key)
    ]


def _read(client: Client, login: Login, path: str, key: str) -> list[dict[str, Any]]:
    own = MediatorClient(
        login.base_url, login.token, client.patience, transport=client.transport, on_retry=client.on_retry
    )
    with own:
        try:
            return [item for item in listing(own, path, key) if isinstance(item, dict)]
        except UnauthorizedError:
            msg = (
                f"GET {login.base_url}{path}: the Mediator refuses the login of endpoint {login.endpoint_sid}. "
                "Renew the endpoint's password at the provider."
            )
            raise ForbiddenError(msg, status=401) from None
        finally:
            client.requests += own.requests


def _logins(client: Client) -> list[Login]:
    found = listing(client, "/endpoints", "endpoint_sid", {"filter": "type eq mediator"})
    # Whether the filter was understood is checked: other endpoints have credentials of other services.
    return [_login(client.base_url, item) for item in found if item.get("type") == "mediator"]


def _login(base_url: str, endpoint: Mapping[str, Any]) -> Login:
    sid, properties = str(endpoint.get("endpoint_sid")), endpoint.get("properties")
    shown = properties if isinstance(properties, dict) else {}
    login, password = shown.get("login"), shown.get("password")
    if not isinstance(login, str) or not isinstance(password, str):
        msg = (
            f"GET /endpoints: endpoint {sid} shows no credentials of its Mediator. Ask for endpoints.manage."
        )
        raise ForbiddenError(msg, status=403)
    token = b64encode(f"{login}:{password}".encode()).decode()
    return Login(sid, mediator_base(base_url, shown.get("api_url")), token)


def mediator_base(base_url: str, api_url: object) -> str:
    """Where the Mediator is: where the endpoint says, if that is the configured provider itself, else beside the Core.

    Raises:
        TerminalError: the endpoint names another host and the configured URL does not say where the Core ends.
    """
    if isinstance(api_url, str) and _origin(api_url) == _origin(base_url) is not None:
        core = urlsplit(base_url)
        return f"{core.scheme}://{core.netloc}{urlsplit(api_url).path.rstrip('/')}"
    if base_url.endswith(_CORE):
        return base_url.removesuffix(_CORE) + _MEDIATOR
    msg = (
        f"TOLLBOOK_API_URL does not end in {_CORE}, so where its Mediator is cannot be told; it was not read."
    )
    raise TerminalError(msg)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    plain = parts.hostname and parts.username is None and parts.password is None
    return (parts.scheme, parts.hostname or "", port) if plain else None


def _unwrapped(body: bytes, request: str) -> Any:
    try:
        answer = envelope.decode(body)
    except envelope.REFUSED:
        raise no_json(request) from None
    if not isinstance(answer, dict) or "body" not in answer or not isinstance(answer.get("status"), int):
        raise TerminalError(f"{request}: the answer is not what the Mediator says: body and status.")
    if answer["status"] != 200:
        raise error_of(answer["status"], body, request)
    return answer["body"]
