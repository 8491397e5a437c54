"""One connection serves as long as it is sound; what goes wrong has a name, and shows no secret."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server, socket

import httpx
import pytest

from pipeline.pull.straight import Straight, straight

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"


class Server:
    """Gives these answers, one a request, then ends the connection; ``heads`` are the requests of each."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.connections = list(connections)
        self.heads: list[list[bytes]] = []
        self.ended = threading.Event()
        self.listening = create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}/a?b=c"

    def run(self) -> None:
        for answers in self.connections:
            with self.listening.accept()[0] as peer:
                self.heads.append([])
                for answer in answers:
                    self.heads[-1].append(self.head(peer))
                    peer.sendall(answer)
            self.ended.set()

    def head(self, peer: socket) -> bytes:
        found = b""
        while not found.endswith(b"\r\n\r\n"):
            if not (more := peer.recv(1)):
                break
            found += more
        return found


@contextmanager
def serving(*connections: list[bytes]) -> Iterator[tuple[httpx.Client, Server]]:
    server = Server(*connections)
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    with httpx.Client(transport=Straight(), timeout=60) as client, server.listening:
        yield client, server
        running.join(60)


@pytest.mark.parametrize("answers", [[OK, OK], [CHUNKED, OK]], ids=["sized", "in chunks"])
def test_a_sound_connection_serves_again(answers: list[bytes]) -> None:
    with serving(answers) as (client, server):
        assert [client.get(server.url).content for _ in answers] == [b"{}", b"{}"]
    assert [len(heads) for heads in server.heads] == [2]


@pytest.mark.parametrize("first", [[CLOSING], [OK], [OK + b"HTTP/1.1 500"]], ids=["said", "unsaid", "more"])
def test_one_that_has_ended_is_replaced_before_it_is_asked(first: list[bytes]) -> None:
    """The server closes after its answer, or says more than it was asked: no request is lost in that."""
    with serving(first, [OK]) as (client, server):
        found = [client.get(server.url).content]
        assert server.ended.wait(60)
        found.append(client.get(server.url).content)
    assert (found, [len(heads) for heads in server.heads]) == ([b"{}", b"{}"], [1, 1])


def test_one_that_was_not_read_to_its_end_is_not_used_again() -> None:
    with serving([OK], [OK]) as (client, server):
        with client.stream("GET", server.url) as answer:
            assert answer.status_code == 200
        assert client.get(server.url).content == b"{}"


def test_a_request_says_what_was_asked_for_and_no_more() -> None:
    with serving([OK]) as (client, server):
        client.get(server.url, headers={"Authorization": "Bearer t", "Accept-Encoding": "gzip"})
    first, *fields = server.heads[0][0].decode().split("\r\n")[:-2]
    names = sorted(field.partition(":")[0].lower() for field in fields)
    assert first == "GET /a?b=c HTTP/1.1"
    assert names == ["accept", "accept-encoding", "authorization", "connection", "host", "user-agent"]


WRONG = {
    "cut short": (OK[:-1], httpx.RemoteProtocolError),
    "a chunk cut short": (CHUNKED[:-12], httpx.RemoteProtocolError),
    "no HTTP": (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
    "nothing": (b"", httpx.ReadError),
}


@pytest.mark.parametrize(("answer", "error"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_has_a_name(answer: bytes, error: type[Exception]) -> None:
    with serving([answer]) as (client, server), pytest.raises(error):
        client.get(server.url)


def test_nobody_there() -> None:
    with create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    with httpx.Client(transport=Straight()) as client, pytest.raises(httpx.ConnectError):
        client.get(url)


def test_a_header_that_cannot_be_sent_is_not_shown() -> None:
    with serving([], [OK]) as (client, server):
        with pytest.raises(httpx.LocalProtocolError) as raised:
            client.get(server.url, headers={"Authorization": "secret\r\nX: 1"})
        client.get(server.url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("environment", "is_straight"),
    [({}, True), ({"NO_PROXY": "localhost"}, True), ({"HTTPS_PROXY": "http://proxy.example:3128"}, False)],
    ids=["none", "exceptions alone", "a proxy"],
)
def test_a_proxy_is_left_to_the_library(
    environment: dict[str, str], is_straight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (straight() is not None) == is_straight
