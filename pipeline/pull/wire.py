"""The bytes of one answer within bounds: its time as a whole, its size, its size unpacked, and their ratio.

A read timeout begins anew with every byte, so a server that sends one byte a second holds a reader for ever. Here a
clock runs beside each request, the headers included, and shuts the socket when it has run out. A packed body is
unpacked in pieces of bounded size: two megabytes of gzip can be two gigabytes of zeros.
"""

import socket
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

from pipeline.errors import TerminalError, TransientError

MOST_BYTES = 128 * 1024 * 1024
MOST_RATIO = 100
_RATIO_FROM = 32 * 1024 * 1024
_PIECE = 256 * 1024


class Line:
    """The open connections of one client, and the clock that cuts them."""

    def __init__(self) -> None:
        self._streams: WeakSet[Any] = WeakSet()
        self._late = threading.Event()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Takes note of connections as they open; the ``trace`` extension of the HTTP library."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._streams.add(info["return_value"])
            if self._late.is_set():
                self._cut()

    @contextmanager
    def limited(self, seconds: float) -> Iterator[threading.Event]:
        """Cuts the connections when the block takes longer; the event says whether that has happened."""
        self._late = late = threading.Event()
        clock = threading.Timer(seconds, self._end, [late])
        clock.daemon = True
        clock.start()
        try:
            yield late
        finally:
            clock.cancel()

    def _end(self, late: threading.Event) -> None:
        late.set()
        self._cut()

    def _cut(self) -> None:
        for stream in list(self._streams):
            with suppress(OSError, AttributeError):
                # The plain socket's own: on a TLS one it would only end the encryption.
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)


def read_body(pieces: Iterable[bytes], encoding: str, request: str) -> bytes:
    """The body that these pieces are, unpacked.

    Raises:
        TransientError: it is cut short, damaged, or unpacks to far more than a body of ours would.
        TerminalError: it is larger than any answer should be, or packed in a way that was not asked for.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _collected(pieces, request)
    if encoding in ("gzip", "x-gzip"):
        return _collected(_unpacked(pieces, request), request)
    msg = f"{request}: the answer is packed as {encoding[:40]!r}, and only gzip was asked for."
    raise TerminalError(msg, request=request)


def _collected(pieces: Iterable[bytes], request: str) -> bytes:
    parts, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_BYTES:
            msg = f"{request}: the answer is larger than {MOST_BYTES} bytes and was dropped."
            raise TerminalError(msg, request=request)
        parts.append(piece)
    return b"".join(parts)


def _unpacked(pieces: Iterable[bytes], request: str) -> Iterator[bytes]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    packed = size = 0
    try:
        for piece in pieces:
            packed += len(piece)
            while piece:
                part = unpack.decompress(piece, _PIECE)
                piece = unpack.unconsumed_tail
                size += len(part)
                if size > _RATIO_FROM and size > MOST_RATIO * packed:
                    msg = (
                        f"{request}: the answer unpacks to over {MOST_RATIO} times its size and was dropped."
                    )
                    raise TransientError(msg, request=request)
                yield part
    except zlib.error:
        raise TransientError(f"{request}: the packed answer is damaged.", request=request) from None
    if not unpack.eof or unpack.unused_data:
        raise TransientError(f"{request}: the packed answer is cut short or damaged.", request=request)
