"""Which answers go wrong, and what they then are: statuses, packing, cursors that have expired.

By their number and the seed: the same requests in the same order meet the same faults.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from pipeline.provider.entropy import Entropy
from pipeline.provider.faults import Faults
from pipeline.provider.wire import Refusal, as_json, forbidden, not_found

_BOMB_MEGABYTES = 512
_PACKED = {"content-encoding": "gzip"}


class Cursors:
    """Which cursors have expired: the first ``budget`` that a client had kept, and those stay so.

    A cursor that stands on a page just given out never expires in the middle of a walk. One that was not given out
    since the faults were set, or was the end of a walk before, is one that the client had kept. A walk has ended when
    it has been told so twice: once is a doubt. What is given out again is good again.
    """

    def __init__(self, budget: int) -> None:
        self._left, self._faulty = budget, budget > 0
        self._given: set[str] = set()
        self._expired: set[str] = set()
        self._ended: set[str] = set()

    def check(self, sid: str | None) -> None:
        """A ``Refusal`` (404) when the cursor has expired."""
        if sid and self._left and sid not in self._given | self._expired:
            self._expired.add(sid)
            self._left -= 1
        if sid in self._expired:
            raise not_found("item")

    def answered(self, sid: str | None, items: list[dict]) -> None:
        """Takes note of a page and of the cursor that asked for it."""
        if not self._faulty:
            return
        edges = {edge for item in items[:1] + items[-1:] if (edge := item.get("dr_sid"))}
        self._given |= edges
        self._expired -= edges
        if sid and not items:
            if sid in self._ended:
                self._given.discard(sid)
            self._ended.add(sid)


class Disturbance:
    """Decides which requests go wrong."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self._entropy = Entropy(seed)
        self._number = 0
        self._seen: set[Any] = set()
        self.cursors = Cursors(faults.expired_cursors)

    def answer(self, resource: str) -> Response | None:
        """The answer that a fault gives instead of the resource; None when there is none."""
        self._number += 1
        if resource in self.faults.forbidden_resources:
            return forbidden().response()
        for fault, instead in _INSTEAD.items():
            if self.strikes(fault):
                return instead()
        if resource == "mediator" and self.strikes("mediator_inner_failure"):
            return as_json({"body": {"message": "internal error", "errors": None}, "status": 500})
        return None

    def strikes(self, fault: str) -> bool:
        """Whether a fault hits the present request."""
        return self._entropy.chance(fault[:16], self._number, getattr(self.faults, fault))

    def first_time(self, asked: Any) -> bool:
        """Whether this has not been asked before."""
        first = asked not in self._seen
        self._seen.add(asked)
        return first


def _redirect() -> Response:
    return RedirectResponse("https://elsewhere.example/core/v2", 302)


def _damaged() -> Response:
    packed = bytearray(gzip.compress(b'{"items": [], "count": 0}' * 20))
    packed[len(packed) // 2] ^= 0xFF
    return Response(bytes(packed), 200, _PACKED, "application/json")


def _bomb() -> Response:
    def zeros() -> Iterator[bytes]:
        pack = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
        for _ in range(_BOMB_MEGABYTES):
            yield pack.compress(bytes(1024 * 1024))
        yield pack.flush()

    return StreamingResponse(zeros(), 200, _PACKED, "application/json")


_INSTEAD: Mapping[str, Callable[[], Response]] = {
    "http_409": lambda: Refusal(409, "conflict").response(),
    "http_429": lambda: PlainTextResponse("Too Many Requests", 429, {"retry-after": "1"}),
    "http_500": lambda: PlainTextResponse("Internal Server Error", 500),
    "html_502": lambda: HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502),
    "bad_json": lambda: Response(b'{"count": 1, "items": [{"dr_sid": "', 200, media_type="application/json"),
    "bad_gzip": _damaged,
    "bomb": _bomb,
    "redirects": _redirect,
}
