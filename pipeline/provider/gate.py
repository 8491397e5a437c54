"""What stands before every resource: the token, the request log, and the faults of answers.

The sandbox's own switches (``/sandbox``) need the token too, but no fault touches them.
"""

import asyncio
import hmac
import re
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.provider.disturbance import Disturbance
from pipeline.provider.oauth import TOKEN_PATH, Tokens
from pipeline.provider.wire import Refusal, unauthorized

CORE, MEDIATOR, FONE = "/core/v2", "/mediator/v1", "/fone/v2"

# Resource names, as the fault ``forbidden`` takes them, by the beginning of the path.
_RESOURCE_OF = {
    "/oauth": "whoami",
    "/partners": "partners",
    "/calls/call_drs": "calls",
    "/calls/rates": "rates",
    "/sms/message_drs": "messages",
    "/sms/rates": "message_rates",
    "/phonenumber/dids": "dids",
    "/endpoints": "endpoints",
    "/countries": "countries",
    "/invoices": "invoices",
    "/billing/invoices": "invoices",
    "/trunk_groups": "trunk_groups",
    "/accesscontrol": "access_rules",
    "/batch/tasks": "batch_tasks",
    "/lookup": "lookups",
    MEDIATOR: "mediator",
    FONE: "fone",
}
_SID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _resource(path: str) -> str:
    if path.endswith("/billing_method"):
        return "billing_methods"
    return next((name for start, name in _RESOURCE_OF.items() if path.startswith(start)), "")


class Gate:
    """The middleware. ``tokens`` open the Core and the sandbox's switches, ``basic`` the Mediator.

    ``log`` counts answers by method, path (secure ids as ``{sid}``) and status.
    """

    def __init__(
        self, app: ASGIApp, tokens: Tokens, basic: bytes, disturbance: list[Disturbance], log: Counter
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._basic = basic
        self._disturbance = disturbance
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = _Sender(send)
        await self._answer(scope, receive, sender)
        self._log[scope["method"], _SID.sub("{sid}", scope["path"]), sender.status] += 1

    async def _answer(self, scope: Scope, receive: Receive, send: "_Sender") -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
        elif not scope["path"].startswith((CORE, MEDIATOR, FONE)):
            await self._app(scope, receive, send)
        else:
            await self._disturbed(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        sent = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"].startswith(MEDIATOR):
            return None if hmac.compare_digest(sent, self._basic) else unauthorized()
        if scope["path"].startswith(FONE):
            return None  # it asks for its own login, and refuses in its own words
        # Whoever asks for a token has none yet: the form carries the credentials.
        known = scope["path"] == CORE + TOKEN_PATH or self._tokens.accepts(sent)
        return None if known else unauthorized()

    async def _disturbed(self, scope: Scope, receive: Receive, send: "_Sender") -> None:
        disturbance = self._disturbance[-1]
        instead = disturbance.answer(_resource(scope["path"].removeprefix(CORE)))
        if instead is None:
            send.breaks_off, send.drips = disturbance.strikes("truncated"), disturbance.strikes("drip")
        if disturbance.faults.slow:
            await asyncio.sleep(disturbance.faults.slow)
        await (instead or self._app)(scope, receive, send)


class _Sender:
    """Remembers the status, and spoils how an answer is sent.

    One that is to break off goes without its second half: the server then finds it incomplete and closes the
    connection, which is what the client sees. One that drips comes byte by byte.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.breaks_off = self.drips = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.breaks_off:
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        elif self.drips:
            for byte in message.get("body", b""):
                await self._send({"type": message["type"], "body": bytes([byte]), "more_body": True})
                await asyncio.sleep(1)
            message = {**message, "body": b""}
        await self._send(message)
