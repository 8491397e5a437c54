"""Encryption on a bad day: a connection that ends inside a record, and a certificate that nobody vouches for."""

import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket

import pytest

from pipeline.errors import TerminalError, TransientError
from pipeline.pull.client import Client, Patience
from pipeline.pull.oauth import Credentials, Grant

# Made for these tests: for localhost, by itself, until 2126.
PEM = Path(__file__).parent.parent / "fixtures" / "localhost.pem"
BODY = json.dumps({"items": [{"dr_sid": str(n)} for n in range(3000)], "total": 3000}).encode()
HASTE = Patience(connect=5, read=5, page=5, total=30, attempts=4, backoff_first=0.001, backoff_max=0.01)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with _Server(("127.0.0.1", 0), _Answer) as server:
        # The handshake belongs to the connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Cutter:
    """Stands between: passes everything on, but of the first connections only so many bytes to the client."""

    def __init__(self, port: int) -> None:
        self.cuts: list[int] = []
        self._to, self._listener = port, create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def close(self) -> None:
        with self._listener:
            self._listener.shutdown(SHUT_RDWR)
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                cut = self.cuts.pop(0) if self.cuts else sys.maxsize
                self._threads.append(thread := threading.Thread(target=self._relay, args=(near, cut)))
                thread.start()

    def _relay(self, near: socket, cut: int) -> None:
        with near, create_connection(("127.0.0.1", self._to)) as far:
            there = threading.Thread(target=_pass, args=(near, far, sys.maxsize))
            there.start()
            _pass(far, near, cut)
            there.join()


def _pass(source: socket, target: socket, left: int) -> None:
    """Passes on so many bytes, or what there is; then hangs up on both."""
    with suppress(OSError):
        while left and (piece := source.recv(min(65536, left))):
            target.sendall(piece)
            left -= len(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(SHUT_RDWR)


@pytest.fixture
def cutter(port: int) -> Iterator[Cutter]:
    made = Cutter(port)
    yield made
    made.close()


def client(port: int) -> Client:
    return Client(f"https://localhost:{port}/core/v2", "secret-token", HASTE)


@pytest.mark.parametrize("share", [1, 40, 70, 99], ids=lambda percent: f"after {percent} percent")
def test_a_connection_cut_inside_a_record_is_tried_again(
    cutter: Cutter, monkeypatch: pytest.MonkeyPatch, share: int
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    whole = len(BODY) + 1500
    cutter.cuts = [whole * share // 100]

    with client(cutter.port) as api:
        found = api.get("/calls/call_drs")

    assert (found["total"], api.requests, cutter.cuts) == (3000, 2, [])


def test_one_that_is_always_cut_ends_in_an_error_after_all_tries(
    cutter: Cutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    cutter.cuts = [20_000] * HASTE.attempts

    with client(cutter.port) as api, pytest.raises(TransientError):
        api.get("/calls/call_drs")
    assert api.requests == HASTE.attempts


def test_a_certificate_that_nobody_vouches_for_stops_it_at_once(port: int) -> None:
    with client(port) as api, pytest.raises(TerminalError, match="certificate is not trusted") as raised:
        api.get("/calls/call_drs")

    assert api.requests == 1
    assert "SSL_CERT_FILE" in str(raised.value)
    assert "secret-token" not in str(raised.value)


def test_one_of_another_name_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setattr("socket.getaddrinfo", _here(port))

    with (
        Client(f"https://api.example.com:{port}/core/v2", "t", HASTE) as api,
        pytest.raises(TerminalError, match=r"api\.example\.com"),
    ):
        api.get("/calls/call_drs")


def _here(port: int):
    from socket import AF_INET, SOCK_STREAM

    return lambda *_args, **_how: [(AF_INET, SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_a_password_is_not_sent_to_who_cannot_prove_its_name(port: int) -> None:
    login = Credentials("my-client", "CANARY", "me", "CANARY")

    with pytest.raises(TerminalError, match="certificate is not trusted") as raised:
        Grant(f"https://localhost:{port}/core/v2", login, HASTE)()
    assert "CANARY" not in str(raised.value)
