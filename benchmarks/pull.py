"""What pulling costs: ``python benchmarks/pull.py [--most 5000000]``.

A server in a process of its own makes up calls as fast as they are asked for; a process per size pulls them into an
empty home. Beside its CPU time stands the least that anybody could spend on the same bytes: decoding them with the
fastest JSON decoder at hand and writing the same rows as the same Parquet, to the byte, both from memory and with
nothing in between; in brackets, the same with a decoder that takes these keys alone and drops any other. The goal is
a ratio of at most two, and a peak of memory that does not grow with the number of records.

Either side has imported what it needs and has done its work once in small before its clock starts; what that costs a
process that pulls is a line of its own. Small sizes are done three times, both sides in turn, and the best of each
counts.
"""

import argparse
import json
import operator
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
START = datetime(2026, 3, 1, tzinfo=UTC)
SIZES = (100_000, 300_000, 1_000_000)
RUNS = 3
GOAL = 2.0
PAGE = 1000
SAMPLE = 200
WARM = 2000
KNOWN = "keys known"


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


def page(first: int, count: int) -> bytes:
    """The page that begins with call ``first`` of ``count``, spread over 31 days."""
    step = 31 * 86_400_000 // count
    items = b",".join(record(n, step) for n in range(first, min(first + PAGE, count)))
    size = max(0, min(PAGE, count - first))
    return b'{"count":%d,"has_more":true,"items":[%s],"limit":1000,"offset":0,"total":null}' % (size, items)


class Server(BaseHTTPRequestHandler):
    """Answers ``/<count>/core/v2/calls/call_drs``; the number of a call is the end of its secure id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        after = parse_qs(parts.query).get("after")
        body = page(int(after[0][-12:]) + 1 if after else 0, int(parts.path.split("/")[1]))
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


def pull(port: int, count: int, home: Path) -> dict[str, float]:
    """Pulls ``count`` records into ``home``; seconds, CPU seconds and peak megabytes.

    ``start_up`` is what this process spent until it had imported everything and pulled two pages.
    """
    import_and_pull(port, WARM, home / "warm")
    start_up = time.process_time()
    began = time.monotonic()
    import_and_pull(port, count, home / "home")
    return {
        "records": count,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - start_up,
        "start_up": start_up,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def import_and_pull(port: int, count: int, home: Path) -> None:
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
    landings = Landings(lake, CALLS, "carrierx", START + timedelta(days=40), overlap)
    with Client(f"http://127.0.0.1:{port}/{count}/core/v2", "token") as client:
        landings.walk(walk.poll(client, CALLS, Bookmark(), START, overlap), Bookmark(), total)
    assert total.fresh == count, total


def least(home: Path, count: int) -> dict[str, float | str]:
    """CPU seconds of the fastest decoder for the same pages, and to write the landed rows again, day by day.

    Of each decoder, the middle of three goes over a sample of the pages, and as much more for the others.
    """
    import statistics

    import pyarrow.parquet as pq

    from pipeline.lake.parquet import STREAMED, how
    from pipeline.lake.tables import BY_NAME

    firsts = range(0, count, PAGE)[:SAMPLE]
    bodies = [page(first, count) for first in firsts]
    scale = count / min(count, SAMPLE * PAGE)
    times = {
        name: scale * statistics.median(spent(decode, bodies) for _ in range(3))
        for name, decode in decoders(bodies[0])
    }
    fastest = min((name for name in times if KNOWN not in name), key=times.__getitem__)
    days = {
        path: pq.read_table(path) for path in (home / "home" / "files" / "land" / "calls").glob("*.parquet")
    }
    # Only what is live counts: a day that was written twice is here twice.
    live = {path.name[:15]: path for path in sorted(days, key=lambda path: len(days[path]))}
    assert sum(len(days[path]) for path in live.values()) == count
    began = time.process_time()
    for path in live.values():
        pq.write_table(days[path], home / path.name, row_group_size=STREAMED, **how(BY_NAME["land/calls"]))
    write = time.process_time() - began
    assert all((home / path.name).read_bytes() == path.read_bytes() for path in live.values())
    known = min(time for name, time in times.items() if KNOWN in name)
    found = {"decode": times[fastest], "write": write, "cpu": times[fastest] + write}
    return found | {"known": known, "decoder": fastest}


def spent(decode: Callable[[bytes], object], bodies: list[bytes]) -> float:
    began = time.process_time()
    for body in bodies:
        decode(body)
    return time.process_time() - began


def decoders(body: bytes) -> Iterator[tuple[str, Callable[[bytes], object]]]:
    """Ways to make values of a page: of any page, then of one whose keys are known, all of them wanted."""
    import msgspec

    yield "msgspec", msgspec.json.Decoder().decode
    keys = msgspec.json.decode(body)["items"][0]
    call = msgspec.defstruct("Call", [(key, Any) for key in keys], gc=False)
    yield (
        f"msgspec, {KNOWN}",
        msgspec.json.Decoder(msgspec.defstruct("Page", [("items", list[call])])).decode,
    )
    with suppress(ImportError):
        import orjson

        yield "orjson", orjson.loads
    import polars as pl

    columns = dict.fromkeys(keys, pl.String)
    begin, end = body.index(b"[") + 1, len(body) - body.rindex(b"]")
    lines = operator.methodcaller("replace", b"},{", b"}\n{")
    yield f"polars, {KNOWN}", lambda text: pl.read_ndjson(lines(text[begin:-end]), schema=columns)


def child(*arguments: object) -> dict[str, float]:
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of records")
    most = parser.parse_args().most
    sizes = [size for size in (*SIZES, 3_000_000, 5_000_000) if size < most] + [most]
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        print(HEAD)
        for size in sizes:
            runs = RUNS if size < 1_000_000 else 1
            found = [measured(port, size, floor=size <= SIZES[-1]) for _ in range(runs)]
            report(*(min(side, key=operator.itemgetter("cpu")) for side in zip(*found, strict=True)))
    finally:
        server.kill()
        server.wait()


def measured(port: int, size: int, *, floor: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Both sides once; the floor is 0 where it is not asked for."""
    with tempfile.TemporaryDirectory() as home:
        pulled = child("pull", port, size, home)
        return pulled, child("least", home, size) if floor else {"cpu": 0.0}


HEAD = """\
CPU: seconds per 100,000 records. least: decode + write. ratio: pull / least, goal 2.0 at most (else !).
start-up: CPU seconds before the clock starts. peak: the most memory of the process that pulls.
   records  records/s   pull CPU   least CPU (decode + write)   ratio   peak MB   start-up  decoder"""


def report(pulled: dict[str, float], least: dict[str, float]) -> None:
    of = 100_000 / pulled["records"]
    cost = parts = ""
    if least["cpu"]:
        ratio = pulled["cpu"] / least["cpu"]
        parts = f"{least['cpu'] * of:.2f} ({least['decode'] * of:.2f} + {least['write'] * of:.2f})"
        cost = f"{ratio:.2f}{'' if ratio <= GOAL else ' !'}"
    line = f"{pulled['records']:>10,} {pulled['records'] / pulled['seconds']:>10,.0f} {pulled['cpu'] * of:>10.2f}"
    line += f" {parts:>28} {cost:>7} {pulled['peak_mb']:>9.0f} {pulled['start_up']:>10.2f}"
    if least["cpu"]:
        harder = pulled["cpu"] / (least["known"] + least["write"])
        line += f"  {least['decoder']} ({KNOWN}: {least['known'] * of:.2f}, ratio {harder:.2f})"
    print(line, flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["pull", port, count, home]:
            print(json.dumps(pull(int(port), int(count), Path(home))))
        case ["least", home, count]:
            print(json.dumps(least(Path(home), int(count))))
        case _:
            main()
