"""The receiver of callbacks: what it takes, what it refuses, and what it keeps of it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.ledger import hints
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.pull import callbacks
from pipeline.pull.callbacks import MOST_BYTES, Receiver
from tests.unit.domain.test_hint import CALL, SMS

NOW = datetime(2026, 3, 2, tzinfo=UTC)
Post = Callable[..., int]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(sqlite_url(tmp_path / "ledger.db"))


@contextmanager
def listening(ledger: Ledger, word: str = "") -> Iterator[Receiver]:
    """A receiver; when the block is left, everything that it took is written."""
    with Receiver(ledger, "127.0.0.1", 0, word, lambda: NOW) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def post(server: Receiver, body: bytes, path: str | None = None, method: str = "POST") -> int:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path or server.path, body)
    status = connection.getresponse().status
    connection.close()
    return status


def kept(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.read() as tx:
        return [(row["resource"], row["sid"]) for row in hints.rows(tx)]


def test_both_kinds_are_kept_once_and_nothing_of_what_people_wrote(ledger: Ledger, tmp_path: Path) -> None:
    with listening(ledger) as server:
        statuses = [post(server, json.dumps(said).encode()) for said in (SMS, CALL, SMS)]

    assert statuses == [204, 204, 204]
    assert kept(ledger) == [("calls", CALL["dr_sid"]), ("messages", SMS["message_sid"])]
    assert not any(b"private" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"not json", 400, id="no JSON"),
        pytest.param(b"[1]", 400, id="no callback"),
        pytest.param(b"\xff\xfe", 400, id="no text"),
        pytest.param(b"[" * 60_000, 400, id="nested deep"),
        pytest.param(b"x" * (MOST_BYTES + 1), 413, id="too large"),
    ],
)
def test_what_is_no_callback_is_refused_and_not_kept(ledger: Ledger, body: bytes, status: int) -> None:
    with listening(ledger) as server:
        found = post(server, body)

    assert (found, kept(ledger)) == (status, [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/callbacks/open-sesame", 204),
        ("/callbacks", 404),
        ("/callbacks/guess", 404),
        ("/", 404),
        ("/callbacks/%FF", 404),
    ],
)
def test_only_who_knows_the_word_is_heard(ledger: Ledger, path: str, status: int) -> None:
    with listening(ledger, "open-sesame") as server:
        assert post(server, json.dumps(CALL).encode(), path) == status


def test_other_methods_are_not_served(ledger: Ledger) -> None:
    with listening(ledger) as server:
        assert post(server, b"", method="GET") == 501


def test_a_body_of_unknown_length_is_refused(ledger: Ledger) -> None:
    with listening(ledger) as server, socket.create_connection(("127.0.0.1", server.server_port)) as raw:
        raw.sendall(b"POST /callbacks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert raw.recv(100).split()[1] == b"411"


def test_who_hangs_up_in_the_middle_does_no_harm(ledger: Ledger) -> None:
    with listening(ledger) as server:
        with socket.create_connection(("127.0.0.1", server.server_port)) as raw:
            raw.sendall(b"POST /callbacks HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        assert post(server, json.dumps(CALL).encode()) == 204


def test_the_answer_does_not_wait_for_the_ledger(ledger: Ledger) -> None:
    with listening(ledger) as server, ledger.transaction():
        assert post(server, json.dumps(CALL).encode()) == 204
        assert kept(ledger) == []

    assert kept(ledger) == [("calls", CALL["dr_sid"])]


def test_who_has_come_before_the_end_is_answered_and_kept(ledger: Ledger) -> None:
    """A callback is half-way when the receiver closes."""
    body = json.dumps(CALL).encode()
    head = f"POST /callbacks HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with listening(ledger) as server, socket.create_connection(("127.0.0.1", server.server_port)) as raw:
        raw.sendall(head + body[:5])
        post(server, json.dumps(SMS).encode())
        server.shutdown()
        closing = threading.Thread(target=server.server_close)
        closing.start()
        closing.join(1)
        waits = closing.is_alive()
        raw.sendall(body[5:])
        status = raw.recv(100).split()[1]
        closing.join()

    assert (waits, status) == (True, b"204")
    assert kept(ledger) == [("calls", CALL["dr_sid"]), ("messages", SMS["message_sid"])]


def test_what_cannot_be_held_is_said_to_be_unavailable(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr(callbacks, "_WAITING", 1)
    monkeypatch.setattr(Receiver, "_write", lambda _self: None)
    with listening(ledger) as server:
        statuses = [post(server, json.dumps({"dr_sid": str(n)}).encode()) for n in range(2)]

    assert statuses == [204, 503]


def test_the_ledger_holds_so_many_and_no_more(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr(hints, "MOST", 3)
    with listening(ledger) as server:
        for n in range(5):
            post(server, json.dumps({"dr_sid": str(n)}).encode())

    assert len(kept(ledger)) == 3


@pytest.mark.parametrize(
    ("host", "port", "word", "says"),
    [("0.0.0.0", 0, "", "TOLLBOOK_CALLBACK_SECRET"), ("127.0.0.1", None, "w", "--port")],
    ids=["open to everybody", "a port that is taken"],
)
def test_where_it_cannot_or_must_not_listen_it_says_so(
    ledger: Ledger, host: str, port: int | None, word: str, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match=says):
        Receiver(ledger, host, taken.getsockname()[1] if port is None else port, word, lambda: NOW)
