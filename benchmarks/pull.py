"""What pulling costs: ``python benchmarks/pull.py [--most 5000000]``.

A server in a process of its own makes up calls as fast as they are asked for; a process per size pulls them into an
empty home. How fast that goes, and the most memory that it takes, are those of a process that does nothing else.

Beside its CPU time stands the least that anybody could spend on the same bytes: to decode them with the fastest JSON
decoder at hand, each value as Python has it, and to write the same rows as the same Parquet, to the byte, once.
That is all of it. The bytes lie in memory, the rows are typed and sorted; nothing is asked for, checked, compared,
hashed, made durable or booked, and nobody collects garbage. In brackets, the same with a decoder that takes these
keys alone and drops any other.

Both sides work in turns in one process, the server beside them: behind every ten pages of the pull the least is done
for these, behind every commit for the days that are whole. So a slow minute of the machine is a slow minute of both,
and neither has the memory, or the processor's cache, to itself. Both have done their work in small before. The sums
of three runs are compared; beside their ratio stand those of the cheapest and the dearest run.

The goal is a ratio of at most two, and a peak of memory that does not grow with the number of records. Every size has
as many calls a day: those of a carrier with five million a month. With ``--month``, each size is a month, so that the
smaller ones have small days, whose files ask for less memory.
"""

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import md5
from http.server import BaseHTTPRequestHandler, HTTPServer
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apart import child

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
START = datetime(2026, 3, 1, tzinfo=UTC)
SIZES = (100_000, 300_000, 1_000_000)
RUNS = 3
GOAL = 2.0
MONTH_MS = 31 * 86_400_000
STEP_MS = MONTH_MS // 5_000_000
PAGE = 1000
TURN = 10
WARM = 2000
DAY = len("date=2026-03-01")
KNOWN = "msgspec, keys known"


def record(n: int, step_ms: int) -> bytes:
    """Call ``n``: every value that differs from call to call in reality differs here too."""
    chance = md5(b"%d" % n, usedforsecurity=False).hexdigest()
    at = [START + timedelta(milliseconds=n * step_ms + more) for more in (0, 3000, 63_000, 190_000)]
    start, talk, stop, insert = (f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond // 1000:03d}Z" for t in at)
    far = int(chance[:8], 16) % 10**10
    return (
        f'{{"cic":null,"cic_original":null,"cic_transformed":null,"date_insert":"{insert}","date_start":"{start}",'
        f'"date_stop":"{stop}","date_talk":"{talk}","direction":"outbound","disconnect_originator":"SRC",'
        f'"diversion_dst":null,"diversion_src":null,"dr_sid":"{chance[:8]}-{chance[8:12]}-4{chance[13:16]}-8'
        f'{chance[17:20]}-{n:012d}","duration":"63.00000","duration_billing":"60","endpoint_sid_dst":'
        f'"1ce5a6da-7d72-448a-ab81-897fe24b8f02","endpoint_sid_src":"7fc3e7ea-a0df-4de1-836f-50318ed66466",'
        f'"identity":null,"ip_dst":"10.222.2.{far % 250}:5060","ip_src":"162.251.180.{far % 90}","number_billing":'
        f'"1516{far % 400:07d}","number_dst":"1{far:010d}","number_dst_original":null,"number_dst_transformed":null,'
        f'"number_external":"1{far:010d}","number_src":"+1516{far % 400:07d}","number_src_original":null,'
        f'"number_src_transformed":null,"partner_sid":"ed437757-002d-4ecc-aa5a-efdf5e50dba{far % 10}","price":'
        f'"0.00{far % 97:02d}","rate":"0.0050","sipcallid_dst":"{chance[::-1]}@12.7.193.174","sipcallid_src":'
        f'"{chance}@162.251.180.24","sipcause":"200","stir_attest":"A","stir_identity":"false","stir_orig_id":'
        f'"+1516{far % 400:07d}","stir_signing_entity":"carrier","stir_verstat":null,"trunk_group_sid_dst":'
        f'"cf7db13f-5c63-4c62-a447-fe3008cd72ef","trunk_group_sid_src":null,"trunk_sid_dst":'
        f'"7098d9f8-c8f2-400f-a31a-61ef7755985c","trunk_sid_src":null,"type":"telecom","user_data":{{}},"version":2}}'
    ).encode()


def page(first: int, count: int, step: int) -> bytes:
    """The page that begins with call ``first`` of ``count``, one every ``step`` milliseconds."""
    items = b",".join(record(n, step) for n in range(first, min(first + PAGE, count)))
    size = max(0, min(PAGE, count - first))
    return b'{"count":%d,"has_more":true,"items":[%s],"limit":1000,"offset":0,"total":null}' % (size, items)


class Server(BaseHTTPRequestHandler):
    """Answers ``/<count>/<step>/core/v2/calls/call_drs``; the number of a call is the end of its secure id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        after = parse_qs(parts.query).get("after")
        count, step = map(int, parts.path.split("/")[1:3])
        body = page(int(after[0][-12:]) + 1 if after else 0, count, step)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def serve() -> None:
    server = HTTPServer(("127.0.0.1", 0), Server)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def pull(port: int, count: int, step: int, home: Path) -> dict[str, float]:
    """Pulls ``count`` records into ``home``, and nothing else; seconds, CPU seconds and peak megabytes.

    ``start_up`` is what this process spent until it had imported everything and pulled a little.
    """
    import_and_pull(port, WARM, step, home / "warm")
    start_up = time.process_time()
    began = time.monotonic()
    import_and_pull(port, count, step, home / "home")
    return {
        "records": count,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - start_up,
        "start_up": start_up,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_turns(port: int, count: int, step: int, home: Path) -> dict[str, float]:
    """CPU seconds of the pull, and of each part of the least."""
    for name, some in (("warm", WARM), ("home", count)):
        least = Least(home / name)
        import_and_pull(port, some, step, home / name, least)
        least.committed(whole=True)
        assert least.rows == some, least.rows
    return least.spent


@dataclass(slots=True)
class Least:
    """Does the least beside a pull into ``home``, with what that has just had; the pull's clock stands meanwhile."""

    home: Path
    spent: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    _bodies: list[bytes] = field(default_factory=list)
    _written: set[str] = field(default_factory=set)
    _resumed: float = field(default_factory=time.process_time)

    def beside(self, walk: Iterator[Any]) -> Iterator[Any]:
        """The pages of a walk, which are decoded ten at a time."""
        for walked in walk:
            # A page that comes without blanks is held as it came.
            self._bodies.append(walked.page.items.text)
            if len(self._bodies) == TURN:
                self._decode()
            yield walked
        self._decode()

    def committed(self, _text: str = "", *, whole: bool = False) -> None:
        """Writes again the files of days that are whole: of all but the last, as long as more comes."""
        self._pause()
        files = {label(path): path for path in sorted(self._files(), key=lambda path: path.stat().st_size)}
        last = max(files, default="")[:DAY]
        for name in sorted(files.keys() - self._written):
            if whole or name[:DAY] < last:
                self._written.add(name)
                self._write(files[name])
        self._resumed = time.process_time()

    def _files(self) -> Iterator[Path]:
        return (self.home / "files" / "land" / "calls").glob("*.parquet")

    def _decode(self) -> None:
        self._pause()
        for name, decode in decoders().items():
            began = time.process_time()
            for body in self._bodies:
                decode(body)
            self._add(name, time.process_time() - began)
        gc.enable()
        self._bodies.clear()
        self._resumed = time.process_time()

    def _write(self, path: Path) -> None:
        import pyarrow.parquet as pq

        from pipeline.lake.parquet import STREAMED, how
        from pipeline.lake.tables import BY_NAME

        again, rows = self.home / path.name, pq.read_table(path)
        began = time.process_time()
        pq.write_table(rows, again, row_group_size=STREAMED, **how(BY_NAME["land/calls"]))
        self._add("write", time.process_time() - began)
        assert again.read_bytes() == path.read_bytes()
        again.unlink()
        self.rows += len(rows)

    def _pause(self) -> None:
        self._add("pull", time.process_time() - self._resumed)

    def _add(self, name: str, spent: float) -> None:
        self.spent[name] = self.spent.get(name, 0.0) + spent


def label(path: Path) -> str:
    """What a file is called in all its contents; the day comes first."""
    return path.name.rsplit(".", 2)[0]


def import_and_pull(port: int, count: int, step: int, home: Path, least: Least | None = None) -> None:
    from pipeline.domain.cursor import CALLS, Bookmark
    from pipeline.lake.lake import Lake
    from pipeline.land.records import Landed
    from pipeline.land.walks import Landings
    from pipeline.ledger.ledger import Ledger, sqlite_url
    from pipeline.pull import walk
    from pipeline.pull.client import Client

    home.mkdir()
    lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
    total, overlap = Landed(), timedelta(minutes=15)
    how = {"progress": least.committed} if least else {}
    landings = Landings(lake, CALLS, "carrierx", START + timedelta(days=40), overlap, **how)
    with Client(f"http://127.0.0.1:{port}/{count}/{step}/core/v2", "token") as client:
        walked = walk.poll(client, CALLS, Bookmark(), START, overlap)
        landings.walk(least.beside(walked) if least else walked, Bookmark(), total)
    assert total.fresh == count, total


@cache
def decoders() -> dict[str, Callable[[bytes], object]]:
    """Ways to make values of a page: of any page, then of one whose keys are known, all of them wanted."""
    import msgspec

    call = msgspec.defstruct("Call", [(key, Any) for key in json.loads(record(0, 1))], gc=False)
    found = {
        "msgspec": msgspec.json.Decoder().decode,
        KNOWN: msgspec.json.Decoder(msgspec.defstruct("Page", [("items", list[call])])).decode,
    }
    with suppress(ImportError):
        import orjson

        found["orjson"] = orjson.loads
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of records")
    parser.add_argument("--month", action="store_true", help="spread each size over a month of its own")
    asked = parser.parse_args()
    most = asked.most
    sizes = [size for size in (*SIZES, 3_000_000, 5_000_000) if size < most] + [most]
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        print(HEAD)
        for size in sizes:
            step = MONTH_MS // size if asked.month else STEP_MS
            alone = [measured("pull", port, size, step) for _ in range(RUNS if size < SIZES[-1] else 1)]
            turns = [measured("turns", port, size, step) for _ in range(RUNS if size <= SIZES[-1] else 0)]
            report(min(alone, key=itemgetter("cpu")), turns)
    finally:
        server.kill()
        server.wait()


def measured(what: str, port: int, size: int, step: int) -> Any:
    with tempfile.TemporaryDirectory() as home:
        return child(__file__, what, port, size, step, home)


HEAD = """\
CPU: seconds per 100,000 records, of a process that only pulls (alone), and of pull and least in turns. least: decode +
write. ratio: pull / least, goal 2.0 at most (else !); then of the cheapest and the dearest run. start-up: CPU seconds
before the clock starts. peak: the most memory of the process that only pulls.
   records  records/s  alone   pull  least (decode + write)  ratio (least - most)  peak MB  start-up  decoder"""


def report(alone: dict[str, float], runs: list[dict[str, float]]) -> None:
    of = 100_000 / alone["records"]
    line = f"{alone['records']:>10,} {alone['records'] / alone['seconds']:>10,.0f} {alone['cpu'] * of:>6.2f}"
    ends = f" {alone['peak_mb']:>8.0f} {alone['start_up']:>9.2f}"
    if not runs:
        print(f"{line}{'':>53}{ends}", flush=True)
        return
    mean = {name: sum(run[name] for run in runs) * of / len(runs) for name in runs[0]}
    fastest = min(mean.keys() - {"pull", "write", KNOWN}, key=mean.__getitem__)
    ratio, *each = (run["pull"] / (run[fastest] + run["write"]) for run in (mean, *runs))
    least = f"{mean[fastest] + mean['write']:.2f} ({mean[fastest]:.2f} + {mean['write']:.2f})"
    spread = f"{ratio:.2f}{'' if ratio <= GOAL else ' !'} ({min(each):.2f} - {max(each):.2f})"
    harder = mean["pull"] / (mean[KNOWN] + mean["write"])
    line += f" {mean['pull']:>6.2f} {least:>23} {spread:>21}"
    print(f"{line}{ends}  {fastest} ({KNOWN}: {mean[KNOWN]:.2f}, ratio {harder:.2f})", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["pull", port, count, step, home]:
            print(json.dumps(pull(int(port), int(count), int(step), Path(home))))
        case ["turns", port, count, step, home]:
            print(json.dumps(in_turns(int(port), int(count), int(step), Path(home))))
        case _:
            main()
