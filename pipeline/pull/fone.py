"""Fone Dynamics: its messages as records of ours.

It lists the messages of a property by the time they were made, in plain arrays without an envelope or a cursor, and
gives no price. A window that lies in the past does not grow, so paging by offset is safe in it; a page that comes twice
is an error, never an endless loop. Whose traffic a property is says the setting, because nothing at the provider does.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from pipeline.domain.cursor import MESSAGES, Feed, Page, Unreadable
from pipeline.errors import TerminalError, UnauthorizedError
from pipeline.pull.client import Client, Patience, page_of

NAME = "fonedynamics"
# The only page size that its documents name.
LIMIT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIONS = {"transmit": "outbound", "receive": "inbound"}
_READ = {
    "MessageSid",
    "From",
    "To",
    "Text",
    "NumSegments",
    "Status",
    "Direction",
    "Created",
    "Submitted",
    "Delivered",
    "Received",
}


class FoneClient(Client):
    """A client whose lists are bare arrays."""

    def get_page(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The array as the ``items`` of an envelope.

        Raises:
            UnauthorizedError: the account or its token is wrong; the message names the settings.
        """
        doubted: set[bytes] = set()
        try:
            return self._retried(
                path, params, lambda body, request: page_of(b'{"items":' + body + b"}", request, doubted)
            )
        except UnauthorizedError as error:
            msg = f"{error.request}: refused. Check TOLLBOOK_FONE_ACCOUNT_SID and TOLLBOOK_FONE_TOKEN."
            raise UnauthorizedError(msg, status=error.status, request=error.request) from None


@dataclass(slots=True)
class FoneDynamics:
    """A ``Source``. ``properties`` maps each property to the partner whose traffic it is."""

    base_url: str
    account: str
    token: str = field(repr=False)
    properties: Mapping[str, str]
    patience: Patience = field(default_factory=Patience)
    transport: httpx.BaseTransport | None = None
    on_retry: Callable[[str], None] = lambda _text: None
    _client: FoneClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        login = b64encode(f"{self.account}:{self.token}".encode()).decode()
        self._client = FoneClient(
            self.base_url, login, self.patience, self.transport, on_retry=self.on_retry, scheme="Basic"
        )

    @property
    def name(self) -> str:
        return NAME

    @property
    def feed(self) -> Feed:
        return MESSAGES

    def read(self, begin: datetime, end: datetime) -> Iterator[Page]:
        """The messages of all properties that were made in ``[begin, end)``; its clock counts whole seconds."""
        window = {"Date_From": _seconds(begin), "Date_To": _seconds(end)}
        for sid, partner in self.properties.items():
            for page in self._pages(f"/Properties/{quote(sid, safe='')}/Messages", window):
                items = [record(item, partner) if isinstance(item, dict) else item for item in page["items"]]
                yield _page(items, page.get("unreadable", ()))

    def close(self) -> None:
        self._client.__exit__()

    def _pages(self, path: str, window: dict[str, int]) -> Iterator[dict[str, Any]]:
        skip, before = 0, None
        while True:
            page = self._client.get_page(path, window | {"Results_Count": LIMIT, "Results_Skip": skip})
            got = len(page["items"]) + len(page.get("unreadable", ()))
            if not got:
                return
            if page == before:
                raise TerminalError(
                    f"GET {path}: the page at {skip} repeats; the walk was stopped. Run again."
                )
            yield page
            skip, before = skip + got, page


def record(item: Mapping[str, Any], partner_sid: str) -> dict[str, Any]:
    """A message in the words of ``land.messages``; what cannot be read stays as it is and is set aside there."""
    direction = str(item.get("Direction") or "").lower()
    direction = _DIRECTIONS.get(direction, direction)
    ours, theirs = ("To", "From") if direction == "inbound" else ("From", "To")
    made = _instant(item.get("Created"))
    return {
        "dr_sid": item.get("MessageSid"),
        "partner_sid": partner_sid,
        "type": "sms",
        "direction": direction,
        "status": item.get("Status"),
        "date_start": made,
        "date_insert": made,
        "date_sent": _instant(item.get("Submitted")),
        "date_stop": _instant(item.get("Received") if direction == "inbound" else item.get("Delivered")),
        "number_src": item.get("From"),
        "number_dst": item.get("To"),
        "number_billing": item.get(ours),
        "number_external": item.get(theirs),
        "message_segments": item.get("NumSegments"),
        "message": item.get("Text"),
    } | {_kept(key): value for key, value in item.items() if key not in _READ}


def _kept(key: str) -> str:
    """The name of a key without a column. Its keys begin with a capital; one that did not could pass for ours."""
    return key if key[:1].isupper() else f"Fone_{key}"


def _page(items: list[Any], unreadable: tuple[Unreadable, ...]) -> Page:
    plain = [item for item in items if isinstance(item, dict)]
    other = [
        Unreadable(msgspec.json.encode(item), "not an object") for item in items if not isinstance(item, dict)
    ]
    return Page(plain, (*(_redacted(item) for item in unreadable), *other), {})


def _redacted(item: Unreadable) -> Unreadable:
    """Without what people wrote; the bytes of an item that nobody can decode may hold it anywhere."""
    known = {key: value for key, value in item.known.items() if key != "Text"}
    return Unreadable(
        msgspec.json.encode(known, order="sorted"), item.reason, {"dr_sid": known.get("MessageSid")}
    )


def _instant(value: Any) -> Any:
    """Unix seconds as the text of an instant; anything else as it is."""
    if type(value) is not int:
        return value
    try:
        return (_EPOCH + timedelta(seconds=value)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    except OverflowError:
        return str(value)


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1)
