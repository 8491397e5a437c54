"""A second provider of messages, Fone Dynamics (``/fone/v2``): bare arrays by time, no prices, errors of its own.

It has a login of its own and two properties. A message is a tenth as frequent as the Core's; it is made, handed on and
delivered by the world's clock, so a list shows another status later.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.entropy import SidCodec
from pipeline.provider.traffic import Curve, first_at_or_after
from pipeline.provider.wire import Refusal, as_json
from pipeline.provider.world import World

ACCOUNT_SID = "AC-sandbox-fone"
TOKEN = "sandbox-fone-secret"  # noqa: S105 - it opens nothing but the sandbox
PROPERTIES = ("PR-sandbox-one", "PR-sandbox-two")
_DEFAULT_COUNT = 200
_SUBMITTED_MS, _DELIVERED_MS = 2_000, 20_000


class FoneRefusal(Refusal):
    """An error as Fone Dynamics says it: ``{"ResponseStatus": {...}}``, with fields where some are to blame."""

    def __init__(self, status: int, code: str, message: str, *fields: str) -> None:
        super().__init__(status, message)
        self.code, self.fields = code, fields

    def response(self) -> Response:
        """The error body."""
        said: dict = {"ErrorCode": self.code, "Message": self.message}
        if self.fields:
            said["Errors"] = [{"FieldName": name} for name in self.fields]
        return as_json({"ResponseStatus": said}, self.status)


def fone_routes(world: World) -> list[BaseRoute]:
    """The messages of a property, and one message."""
    messages = FoneMessages(world)

    async def many(request: Request) -> Response:
        _check(request, world)
        sid = request.path_params["sid"]
        if sid not in PROPERTIES:
            raise FoneRefusal(400, "PROPERTY_NOT_FOUND", "A matching property could not be found.")
        begin, end = _window(request)
        rows = messages.of(PROPERTIES.index(sid), begin * 1000, end * 1000)
        wanted = request.query_params.get("Direction"), request.query_params.get("Status")
        rows = [r for r in rows if wanted[0] in (None, r["Direction"]) and wanted[1] in (None, r["Status"])]
        skip, count = _number(request, "Results_Skip", 0), _number(request, "Results_Count", _DEFAULT_COUNT)
        return as_json(rows[skip : skip + count])

    async def one(request: Request) -> Response:
        _check(request, world)
        index = messages.codec.decode(request.path_params["sid"])
        if index is None or index >= messages.count or messages.time(index) > world.now_ms:
            raise FoneRefusal(400, "MESSAGE_NOT_FOUND", "A matching SMS message could not be found.")
        return as_json(messages.record(index))

    return [Route("/Properties/{sid}/Messages", many), Route("/Messages/{sid}", one)]


class FoneMessages:
    """The messages, each computed from its number alone; they belong to the properties in turn."""

    def __init__(self, world: World) -> None:
        config = world.config
        self.count = config.messages // 10
        self.codec = SidCodec(config.seed, "fone")
        self._world = world
        self._curve = Curve(config.start, config.days)

    def time(self, index: int) -> int:
        """When it was made, in whole seconds but told in milliseconds."""
        jitter = self._world.entropy.clock("fone", index)[0]
        return self._curve.at(index, jitter, self.count) // 1000 * 1000

    def of(self, number: int, begin: int, end: int) -> list[dict]:
        """Those of a property that were made in ``[begin, end)`` and not later than now."""
        first = first_at_or_after(self.time, self.count, begin)
        last = first_at_or_after(self.time, self.count, min(end, self._world.now_ms + 1))
        return [self.record(n) for n in range(first, last) if n % len(PROPERTIES) == number]

    def record(self, index: int) -> dict:
        """The message as it stands at the world's time."""
        w = self._world.entropy.words("fone", index)
        made, age = self.time(index), self._world.now_ms - self.time(index)
        own, far = f"+614917{w[0] % 90000 + 10000}", f"+614{w[1]:08d}"
        received = w[2] % 4 == 0
        handed_on = made // 1000 + _SUBMITTED_MS // 1000 if not received and age >= _SUBMITTED_MS else None
        delivered = made // 1000 + _DELIVERED_MS // 1000 if handed_on and age >= _DELIVERED_MS else None
        failed = bool(delivered) and w[3] % 30 == 0
        return {
            "MessageSid": self.codec.encode(index),
            "AccountSid": ACCOUNT_SID,
            "PropertySid": PROPERTIES[index % len(PROPERTIES)],
            "From": far if received else own,
            "To": own if received else far,
            "Text": f"fone message {index}",
            "DeliveryReceipt": not received,
            "NumSegments": 1 + w[4] % 3,
            "Status": _status(received, handed_on, delivered, failed),
            "Direction": "Receive" if received else "Transmit",
            "Scheduled": None,
            "Created": made // 1000,
            "Submitted": handed_on,
            "Delivered": None if failed else delivered,
            "Received": made // 1000 if received else None,
            "ErrorCode": "UNKNOWN_SUBSCRIBER" if failed else None,
            "ExternalId": None,
        }


def _status(received: bool, handed_on: int | None, delivered: int | None, failed: bool) -> str:
    if received:
        return "Received"
    if failed:
        return "Failed"
    return "Delivered" if delivered else "Submitted" if handed_on else "Processing"


def _check(request: Request, world: World) -> None:
    wanted = "Basic " + b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    sent = request.headers.get("authorization", "")
    if not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise FoneRefusal(401, "UNAUTHORIZED", "Wrong or missing credentials.")
    if "fone" in world.faults.forbidden_resources:
        raise FoneRefusal(403, "FORBIDDEN", "A request could not be processed due to missing permissions.")


def _window(request: Request) -> Sequence[int]:
    begin, end = _number(request, "Date_From"), _number(request, "Date_To")
    if begin >= end:
        raise FoneRefusal(400, "INVALID_DATE_RANGE", "The provided date range is invalid.")
    return begin, end


def _number(request: Request, name: str, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    if text is None:
        raise FoneRefusal(400, "PARAMETER_REQUIRED", f"{name} is missing.", name)
    if not (text.isascii() and text.isdecimal()):
        raise FoneRefusal(400, "PARAMETER_INVALID", f"{name} is not within bounds.", name)
    return int(text)
