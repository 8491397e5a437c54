"""The bytes of one answer within bounds: its time as a whole, its size, its size unpacked, and their ratio.

A read timeout begins anew with every byte, so a server that sends one byte a second holds a reader for ever. Here a
clock runs beside each request, the headers included, and shuts the socket when it has run out. A packed body is
unpacked in pieces of bounded size: two megabytes of gzip can be two gigabytes of zeros.
"""

import socket
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from weakref import WeakSet

from pipeline.errors import TerminalError, TransientError

MOST_BYTES = 128 * 1024 * 1024
MOST_RATIO = 100
_RATIO_FROM = 32 * 1024 * 1024
_PIECE = 256 * 1024
_LARGEST_KEPT = 31 * 1024 * 1024
_NEVER = float("inf")


@cache
def keep_memory() -> None:
    """Lets the C library keep what pages leave free, for the pages that follow.

    It gives large blocks back at once, and to get them again, empty, costs as much as to read a page into them. Once it
    has seen a block of a size being freed, it keeps what is smaller (twice as much of it at most); this one is never
    touched, so it costs nothing. A library that does otherwise takes no notice.
    """
    bytes(_LARGEST_KEPT)


class Line:
    """The open connections of one client, and the clock that cuts them.

    One thread is the clock of all requests, since to start one for each costs as much as to read a page: it sleeps to
    the end of a request's time, and by then mostly finds that it has to sleep on for a later one.
    """

    def __init__(self) -> None:
        self._streams: WeakSet[Any] = WeakSet()
        self._late = threading.Event()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._due = self._wakes = _NEVER

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Takes note of connections as they open; the ``trace`` extension of the HTTP library."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._streams.add(info["return_value"])
            if self._late.is_set():
                self._cut()

    def close(self) -> None:
        """Ends the clock."""
        self._closed.set()

    @contextmanager
    def limited(self, seconds: float) -> Iterator[threading.Event]:
        """Cuts the connections when the block takes longer; the event says whether that has happened."""
        late = threading.Event()
        with self._lock:
            self._late, self._due = late, time.monotonic() + seconds
            if self._due < self._wakes:
                self._wakes = self._due
                threading.Thread(target=self._watch, args=[self._due], daemon=True).start()
        try:
            yield late
        finally:
            with self._lock:
                self._due = _NEVER

    def _watch(self, wakes: float) -> None:
        while not self._closed.wait(wakes - time.monotonic()):
            with self._lock:
                if self._wakes != wakes:
                    return
                if self._due <= wakes:
                    self._late.set()
                    self._cut()
                    self._due = _NEVER
                self._wakes = wakes = self._due
                if wakes == _NEVER:
                    return

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
