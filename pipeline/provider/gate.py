"""What stands before every resource: the token, the request log, and the faults of answers.

The sandbox's own switches (``/sandbox``) need the token too, but no fault touches them.
"""

import asyncio
import hmac
import re
from collections import Counter

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.provider.entropy import Entropy
from pipeline.provider.faults import Faults
from pipeline.provider.oauth import TOKEN_PATH, Tokens
from pipeline.provider.wire import Refusal, as_json, forbidden, not_found, unauthorized

CORE, MEDIATOR = "/core/v2", "/mediator/v1"

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
}
_SID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Cursors:
    """Which cursors have expired: the first ``budget`` that a client had kept, and those stay so.

    A cursor that stands on a page just given out never expires in the middle of a walk. One that was not given out
    since the faults were set, or was the end of a walk before, is one that the client had kept.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._given: set[str] = set()
        self._expired: set[str] = set()

    def check(self, sid: str | None) -> None:
        """A ``Refusal`` (404) when the cursor has expired."""
        if sid and sid not in self._given and len(self._expired) < self._budget:
            self._expired.add(sid)
        if sid in self._expired:
            raise not_found("item")

    def answered(self, sid: str | None, items: list[dict]) -> None:
        """Takes note of a page and of the cursor that asked for it."""
        if not self._budget:
            return
        edges = [item.get("dr_sid") for item in items[:1] + items[-1:]]
        self._given.update(edge for edge in edges if edge)
        if sid and not items:
            self._given.discard(sid)


class Disturbance:
    """Decides which requests go wrong, by their number: the same requests in the same order meet the same faults."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self._entropy = Entropy(seed)
        self._number = 0
        self.cursors = Cursors(faults.expired_cursors)

    def answer(self, scope: Scope) -> Response | None:
        """The answer that a fault gives instead of the resource; None when there is none."""
        self._number += 1
        resource = _resource(scope["path"].removeprefix(CORE))
        if resource in self.faults.forbidden_resources:
            return forbidden().response()
        if self._strikes("http_500"):
            return PlainTextResponse("Internal Server Error", 500)
        if self._strikes("html_502"):
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        if resource == "mediator" and self._strikes("mediator_inner_failure"):
            return as_json({"body": {"message": "internal error", "errors": None}, "status": 500})
        return None

    def breaks_off(self) -> bool:
        """Whether the answer to the present request ends in the middle."""
        return self._strikes("truncated")

    def _strikes(self, fault: str) -> bool:
        return self._entropy.chance(fault[:16], self._number, getattr(self.faults, fault))


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
        elif not scope["path"].startswith((CORE, MEDIATOR)):
            await self._app(scope, receive, send)
        else:
            await self._disturbed(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        sent = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"].startswith(MEDIATOR):
            return None if hmac.compare_digest(sent, self._basic) else unauthorized()
        # Whoever asks for a token has none yet: the form carries the credentials.
        known = scope["path"] == CORE + TOKEN_PATH or self._tokens.accepts(sent)
        return None if known else unauthorized()

    async def _disturbed(self, scope: Scope, receive: Receive, send: "_Sender") -> None:
        disturbance = self._disturbance[-1]
        instead = disturbance.answer(scope)
        send.breaks_off = instead is None and disturbance.breaks_off()
        if disturbance.faults.slow:
            await asyncio.sleep(disturbance.faults.slow)
        await (instead or self._app)(scope, receive, send)


class _Sender:
    """Remembers the status, and leaves out the second half of an answer that is to break off.

    The server then finds the answer incomplete and closes the connection, which is what the client sees.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.breaks_off = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.breaks_off:
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await self._send(message)
