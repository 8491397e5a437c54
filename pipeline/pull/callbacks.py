"""Listens for the provider's callbacks (``sms``, ``app_mediator``) and keeps of each that a record exists.

No callback is signed, none is promised to come or to come once: so nothing is billed by one, and what it says is not
landed. It is a hint for the pull, whose list is the truth; one that the pull has not seen after a day is
told to a person. Anybody who finds the port may post, so bodies, times, connections and memory are bounded,
and a word in the path that only the provider was told keeps out who guesses. Answers come before anything is written:
a busy ledger must not keep the provider waiting.
"""

import hmac
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any

import msgspec

from pipeline.domain.hint import Hint, read_hint
from pipeline.errors import SettingsError
from pipeline.ledger import hints
from pipeline.ledger.ledger import Ledger

log = logging.getLogger("tollbook.pull")
PATH = "/callbacks"
MOST_BYTES = 64 * 1024
_SECONDS = 10
_CONNECTIONS = 32
_WAITING = 10_000
_TOGETHER = 500
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Receiver(ThreadingHTTPServer):
    """The server. ``word`` is the last part of the path that it answers to; none on this machine itself."""

    daemon_threads = True

    def __init__(
        self, ledger: Ledger, host: str, port: int, word: str, clock: Callable[[], datetime]
    ) -> None:
        """Binds; port 0 takes a free one.

        Raises:
            SettingsError: it would be open to everybody, or the address cannot be had.
        """
        if not word and host not in _LOOPBACK:
            msg = f"listening on {host} needs a word that only the provider knows: set TOLLBOOK_CALLBACK_SECRET."
            raise SettingsError(msg)
        self.path = f"{PATH}/{word}".rstrip("/")
        self.waiting: queue.Queue[Hint] = queue.Queue(_WAITING)
        self._ledger, self._clock, self._host = ledger, clock, host
        self._room = threading.BoundedSemaphore(_CONNECTIONS)
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="hints", daemon=True)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            msg = f"cannot listen on {host}:{port}: {error.strerror}. Choose another --port, or 0."
            raise SettingsError(msg) from None
        self._writer.start()

    @property
    def url(self) -> str:
        """Where it answers, without the word."""
        return f"http://{self._host}:{self.server_port}{PATH}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, up to a number; who comes when all are busy is hung up on."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        clock = threading.Timer(_SECONDS, _cut, [request])
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._room.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Who hangs up in the middle is nobody's trouble."""

    def server_close(self) -> None:
        """Takes no more, answers who has come already, and writes all that was taken; a second time, nothing."""
        super().server_close()
        if self._ended.is_set():
            return
        until = time.monotonic() + _SECONDS
        for _ in range(_CONNECTIONS):
            self._room.acquire(timeout=max(0, until - time.monotonic()))
        self._ended.set()
        if self._writer.is_alive():
            self._writer.join(_SECONDS)
        if left := self.waiting.qsize():
            log.warning("%s hints were lost: the ledger took none for %s s", left, _SECONDS)

    def _write(self) -> None:
        while not (self._ended.is_set() and self.waiting.empty()):
            found: list[Hint] = []
            with suppress(queue.Empty):
                found.append(self.waiting.get(timeout=0.2))
                while len(found) < _TOGETHER:
                    found.append(self.waiting.get_nowait())
            if found:
                self._note(found)

    def _note(self, found: list[Hint]) -> None:
        try:
            with self._ledger.transaction() as tx:
                hints.note(tx, found, self._clock())
        except Exception as error:  # noqa: BLE001 - whatever the database says: the pull needs no hints
            log.warning("%s hints were lost: %s", len(found), type(error).__name__)


def _cut(request: socket) -> None:
    with suppress(OSError):
        request.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = _SECONDS
    server_version, sys_version = "tollbook", ""

    def do_POST(self) -> None:
        """One callback."""
        status = self._took()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _took(self) -> HTTPStatus:
        if not hmac.compare_digest(self.path.encode(), self.server.path.encode()):
            return HTTPStatus.NOT_FOUND
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            return HTTPStatus.LENGTH_REQUIRED
        if len(length) > 9 or int(length) > MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        try:
            hint = read_hint(msgspec.json.decode(self.rfile.read(int(length))))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            hint = None
        if hint is None:
            return HTTPStatus.BAD_REQUEST
        try:
            self.server.waiting.put_nowait(hint)
        except queue.Full:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.NO_CONTENT

    def log_message(self, *_: object) -> None:
        """Nothing: a path holds the word, a body what people wrote."""
