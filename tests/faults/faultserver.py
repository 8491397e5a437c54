"""A provider that misbehaves on the wire: sockets, packing, lengths, statuses; one fault per answer, by a seed.

It serves one list of records with the provider's cursors. ``modes`` are the faults in play and ``share`` how many of
the answers, in hundredths, they spoil; the seed decides which. The list itself is always the same, so what has landed
in the end can be compared with it.
"""

import gzip
import json
import random
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Record = dict[str, Any]
Send = Callable[[bytes], None]
BOMB_BYTES = 512 * 1024 * 1024


def head(status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def plain(connection: "Connection", body: bytes) -> None:
    connection.send(head(length=len(body)) + body)


def packed(connection: "Connection", body: bytes) -> None:
    whole = gzip.compress(body, 1)
    connection.send(head(length=len(whole), Content_Encoding="gzip") + whole)


def reset(connection: "Connection", body: bytes) -> None:
    """Half an answer, then a reset instead of an end."""
    connection.send(head(length=len(body)) + body[: len(body) // 2])
    connection.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.end()


def truncated(connection: "Connection", body: bytes) -> None:
    connection.send(head(length=len(body)) + body[: len(body) // 2])
    connection.end()


def slow_body(connection: "Connection", body: bytes) -> None:
    """A byte now and then: no single read ever takes long."""
    connection.send(head(length=len(body)))
    connection.drip(body)


def slow_head(connection: "Connection", body: bytes) -> None:
    connection.drip(head(length=len(body)) + body)


def bad_gzip(connection: "Connection", body: bytes) -> None:
    whole = bytearray(gzip.compress(body, 1))
    whole[len(whole) // 2] ^= 0xFF
    connection.send(head(length=len(whole), Content_Encoding="gzip") + bytes(whole))


def cut_gzip(connection: "Connection", body: bytes) -> None:
    whole = gzip.compress(body, 1)[:-9]
    connection.send(head(length=len(whole), Content_Encoding="gzip") + whole)


def bomb(connection: "Connection", body: bytes) -> None:
    connection.send(head(Content_Encoding="gzip", Connection="close"))
    pack = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    zeros = bytes(1024 * 1024)
    for _ in range(BOMB_BYTES // len(zeros)):
        connection.send(pack.compress(zeros))
    connection.send(pack.flush())
    connection.end()


def html_502(connection: "Connection", body: bytes) -> None:
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    connection.send(head("502 Bad Gateway", len(page)) + page)


def too_many(connection: "Connection", body: bytes) -> None:
    connection.send(head("429 Too Many Requests", 0, Retry_After="0"))


def short_length(connection: "Connection", body: bytes) -> None:
    """Says less than it sends: what is left over must not be taken for the next answer."""
    connection.send(head(length=len(body) - 40) + body)


def long_length(connection: "Connection", body: bytes) -> None:
    connection.send(head(length=len(body) + 40) + body)
    connection.end()


def bad_json(connection: "Connection", body: bytes) -> None:
    plain(connection, body.replace(b'"dr_sid": "', b'"dr_sid": ', 1))


def no_list(connection: "Connection", body: bytes) -> None:
    plain(connection, b'{"items": [{"dr_sid": "')


MODES = {
    mode.__name__: mode
    for mode in (
        reset, truncated, slow_body, slow_head, bad_gzip, cut_gzip, bomb, html_502, too_many, short_length,
        long_length, bad_json, no_list,
    )
}  # fmt: skip


class Connection(BaseRequestHandler):
    """One connection; answers requests until a fault ends it."""

    server: "FaultServer"

    def handle(self) -> None:
        self.open = True
        with suppress(OSError):
            while self.open and (request := self._request()):
                self.server.answer(self, request)

    def _request(self) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(65536)
            if not piece:
                return ""
            data += piece
        self.server.heads.append(data)
        return data.split(b" ", 2)[1].decode()

    def send(self, data: bytes) -> None:
        self.request.sendall(data)

    def drip(self, data: bytes) -> None:
        for n in range(len(data)):
            self.send(data[n : n + 1])
            if self.server.stopping.wait(0.05):
                return

    def end(self) -> None:
        self.open = False
        self.request.close()


class FaultServer(ThreadingTCPServer):
    """Serves ``records`` under ``url``; use as a context manager."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        records: Iterable[Record],
        sort_key: str,
        modes: Iterable[str] = (),
        share: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.records, self.sort_key = list(records), sort_key
        self.modes, self.share, self.chance = list(modes), share, random.Random(seed)
        self.stopping = threading.Event()
        self.heads: list[bytes] = []
        self.struck: Counter[str] = Counter()
        self.most = 1000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/core/v2"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not worth a word."""

    def answer(self, connection: Connection, target: str) -> None:
        body = self.page({k: v[0] for k, v in parse_qs(urlsplit(target).query).items()})
        if self.modes and self.chance.randrange(100) < self.share:
            name = self.chance.choice(self.modes)
            self.struck[name] += 1
            MODES[name](connection, body)
        else:
            self.chance.choice((plain, packed))(connection, body)

    def page(self, query: dict[str, str]) -> bytes:
        limit = min(int(query["limit"]), self.most)
        rows = self.records if query["order"].endswith(" asc") else self.records[::-1]
        if "filter" in query:
            rows = [row for row in rows if row[self.sort_key] >= query["filter"].split(" ge ")[1]]
        elif "after" in query:
            rows = rows[self._place(rows, query["after"]) + 1 :]
        elif "before" in query:
            rows = rows[: self._place(rows, query["before"])][-limit:]
        items = rows[:limit]
        envelope = {
            "count": len(items),
            "has_more": bool(items),
            "items": items,
            "limit": limit,
            "total": None,
        }
        return json.dumps(envelope).encode()

    @staticmethod
    def _place(rows: list[Record], sid: str) -> int:
        return next(n for n, row in enumerate(rows) if row["dr_sid"] == sid)
