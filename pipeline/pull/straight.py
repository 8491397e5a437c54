"""A straight way to one server: the standard library's HTTP client, as a transport of the library that asks.

That library's own transport takes a body apart into pieces and copies each five times over; here a page comes as one,
in a third of the time. It is for what a pull does: one request at a time, to one server, without a proxy. What goes
wrong has the library's names, and never our headers.
"""

import http.client
import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any
from urllib.request import getproxies

import httpx

# Most pages are smaller and come as one; of a body that is too large no more than this is held too much.
_PIECE = 2 * 1024 * 1024


def straight() -> "Straight | None":
    """The straight way; None where the environment names a proxy, which the library knows how to use."""
    return None if getproxies().keys() - {"no"} else Straight()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Stream:
    """A connection and its socket, as the one who cuts late requests wants to see it.

    The connection forgets the socket when the server says that it will close it, before the body is read.
    """

    connection: http.client.HTTPConnection
    wire: socket

    def get_extra_info(self, _what: str) -> socket:
        return self.wire


class Straight(httpx.BaseTransport):
    """One connection, kept open from request to request."""

    def __init__(self) -> None:
        self._to: tuple[str, str, int | None] | None = None
        self._stream: _Stream | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            connection = self._connected(request)
            with _named(httpx.ReadTimeout, httpx.ReadError):
                target = request.url.raw_path.decode()
                connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers.raw:
                    connection.putheader(name, value)
                connection.endheaders(request.read() or None)
                answer = connection.getresponse()
        except httpx.RequestError:
            self.close()
            raise
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        return httpx.Response(answer.status, headers=headers, stream=_Body(answer, self))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.connection.close()
        self._stream = None

    def _connected(self, request: httpx.Request) -> http.client.HTTPConnection:
        """The open connection to this server, or a new one where there is none that is still and sound."""
        url = request.url
        to = (url.scheme, url.host, url.port)
        if self._stream is None or self._to != to or not _still(self._stream.connection):
            self.close()
            self._to, self._stream = to, _connect(url, request.extensions["timeout"])
            if trace := request.extensions.get("trace"):
                trace("connection.connect_tcp.complete", {"return_value": self._stream})
        return self._stream.connection


class _Body(httpx.SyncByteStream):
    """The body of an answer; a connection that was not read to its end is not used again."""

    def __init__(self, answer: http.client.HTTPResponse, of: Straight) -> None:
        self._answer, self._of = answer, of

    def __iter__(self) -> Iterator[bytes]:
        with _named(httpx.ReadTimeout, httpx.ReadError):
            while piece := self._answer.read(_PIECE):
                yield piece
        if self._answer.length:
            msg = f"{self._answer.length} bytes are missing"
            raise httpx.RemoteProtocolError(msg)

    def close(self) -> None:
        if not self._answer.isclosed():
            self._of.close()
        self._answer.close()


def _connect(url: httpx.URL, seconds: dict[str, float | None]) -> _Stream:
    how: dict[str, Any] = {"host": url.host, "port": url.port, "timeout": seconds["connect"]}
    with _named(httpx.ConnectTimeout, httpx.ConnectError):
        made: http.client.HTTPConnection = (
            http.client.HTTPSConnection(**how, context=httpx.create_ssl_context())
            if url.scheme == "https"
            else http.client.HTTPConnection(**how)
        )
        made.connect()
    made.sock.settimeout(seconds["read"])
    return _Stream(made, made.sock)


def _still(connection: http.client.HTTPConnection) -> bool:
    """Whether it is open and nothing lies in it: neither its end nor more than was asked for."""
    if connection.sock is None:
        return False
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return not waiting.poll(0)


@contextmanager
def _named(late: type[httpx.TimeoutException], lost: type[httpx.NetworkError]) -> Iterator[None]:
    """Raises what goes wrong under the library's names."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise lost(str(error)) from error
    except http.client.HTTPException as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from error
    except ValueError:
        # A header that cannot be sent; the error would say what is in it.
        raise httpx.LocalProtocolError("a header cannot be sent") from None
