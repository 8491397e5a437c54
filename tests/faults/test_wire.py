"""Whatever the wire does, what lands is what a quiet wire would have brought, and in bounded time."""

import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.domain.cursor import CALLS, Bookmark
from pipeline.errors import TerminalError, TransientError, UnauthorizedError
from pipeline.lake.lake import Lake
from pipeline.land.records import Landed
from pipeline.land.walks import Landings
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.pull import walk
from pipeline.pull.client import Client, Patience
from tests.faults import faultserver
from tests.faults.faultserver import MODES, Connection, FaultServer, head
from tests.fixtures.records import calls

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
RECORDS = calls(400)
HASTE = Patience(connect=5, read=5, page=0.4, total=60, attempts=12, backoff_first=0.001, backoff_max=0.01)


def pulled(server: FaultServer, home: Path) -> tuple[list[tuple], Landed]:
    home.mkdir(exist_ok=True)
    lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
    landings, total = Landings(lake, CALLS, "carrierx", NOW, timedelta(minutes=15)), Landed()
    with Client(server.url, "secret-token", HASTE) as client:
        landings.walk(walk.poll(client, CALLS, Bookmark(), SINCE, timedelta(minutes=15)), Bookmark(), total)
    return lake.scan("land/calls").sort("dr_sid").collect().rows(), total


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> list[tuple]:
    """What lands when nothing goes wrong."""
    with FaultServer(RECORDS, "date_stop") as server:
        rows, landed = pulled(server, tmp_path_factory.mktemp("quiet"))
    assert (len(rows), landed.fresh) == (400, 400)
    return rows


@pytest.mark.parametrize("mode", MODES)
def test_each_fault_alone(mode: str, quiet: list[tuple], tmp_path: Path) -> None:
    """Every second answer is spoiled in one way."""
    with FaultServer(RECORDS, "date_stop", [mode], share=50, seed=7) as server:
        server.most = 200
        rows, landed = pulled(server, tmp_path)
    assert server.struck[mode] > 0
    assert (rows, landed.fetched, landed.quarantined) == (quiet, 400, 0)


@pytest.mark.parametrize("seed", range(4))
def test_all_faults_mixed(seed: int, quiet: list[tuple], tmp_path: Path) -> None:
    """A fifth of the answers is spoiled, in all ways."""
    with FaultServer(RECORDS, "date_stop", list(MODES), share=20, seed=seed) as server:
        server.most = 10
        rows, landed = pulled(server, tmp_path)
    assert server.struck.total() > 0
    assert (rows, landed.fetched, landed.quarantined) == (quiet, 400, 0)


@pytest.mark.parametrize("mode", ["slow_head", "slow_body"])
def test_slow_server_is_left_at_the_deadline(mode: str) -> None:
    """A byte at a time passes every read timeout; the deadline is for the whole answer."""
    haste = Patience(read=5, page=0.3, attempts=2, backoff_first=0.001, backoff_max=0.01)
    with FaultServer(RECORDS, "date_stop", [mode]) as server, Client(server.url, "t", haste) as client:
        begin = time.monotonic()
        with pytest.raises(TransientError, match="longer than"):
            client.get_page("/calls/call_drs", {"limit": 1000, "order": "date_stop asc"})
        assert time.monotonic() - begin < 30, "400 records at 20 bytes a second would take hours"
        assert len(server.heads) == 2


def test_bomb_is_dropped_before_it_unfolds() -> None:
    """Half a gigabyte of zeros costs a few megabytes."""
    haste = Patience(attempts=2, backoff_first=0.001, backoff_max=0.01)
    with FaultServer(RECORDS, "date_stop", ["bomb"]) as server, Client(server.url, "t", haste) as client:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(TransientError, match="unpacks to over"):
            client.get_page("/calls/call_drs", {"limit": 1000, "order": "date_stop asc"})
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def answering(*answers: bytes) -> Callable[[Connection, str], None]:
    left = list(answers)

    def answer(connection: Connection, _target: str) -> None:
        connection.send(left.pop(0) if len(left) > 1 else left[0])

    return answer


def asked(
    answer: Callable[[Connection, str], None], patience: Patience = HASTE
) -> tuple[FaultServer, object]:
    with FaultServer([], "date_stop") as server, Client(server.url, "secret-token", patience) as client:
        server.answer = answer
        try:
            return server, client.get("/partners")
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return server, error


@pytest.mark.parametrize("after", ["2", "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "-1", "\u00b2", "9" * 400])
def test_retry_after_in_every_form_is_survived(after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds, a date, and nonsense; no pause is longer than its cap."""
    monkeypatch.setattr("pipeline.pull.client._LONGEST_PAUSE", 0.05)
    wait = head("429 Too Many Requests", 0).replace(
        b"\r\n\r\n", b"\r\nRetry-After: " + after.encode() + b"\r\n\r\n"
    )
    server, found = asked(answering(wait, head(length=2) + b"{}"))
    assert (found, len(server.heads)) == ({}, 2)


def test_wrong_token_is_asked_about_once() -> None:
    server, found = asked(answering(head("401 Unauthorized", 2) + b"{}"))
    assert (type(found), len(server.heads)) == (UnauthorizedError, 1)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_no_address_of_an_answer_is_visited(status: str) -> None:
    """A redirect to another server is an error here, and nothing arrives there."""
    with FaultServer([], "date_stop") as canary:
        server, found = asked(answering(head(status, 0, Location=canary.url)))
        assert (type(found), len(server.heads), canary.heads) == (TerminalError, 1, [])


def test_links_of_a_page_are_not_followed(tmp_path: Path) -> None:
    """``pagination.next`` that points elsewhere is never asked."""
    with FaultServer(RECORDS, "date_stop") as canary, FaultServer(RECORDS, "date_stop") as server:
        server.most = 100
        page = server.page
        server.page = lambda query: page(query).replace(
            b'"total"', b'"pagination": {"next": "' + canary.url.encode() + b'"}, "total"'
        )
        rows, _ = pulled(server, tmp_path)
        assert (len(rows), canary.heads) == (400, [])


def test_packing_that_was_not_asked_for_is_refused() -> None:
    server, found = asked(answering(head(length=2, Content_Encoding="gzip, gzip") + b"{}"))
    assert (type(found), len(server.heads)) == (TerminalError, 1)


def test_too_large_an_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.pull.wire.MOST_BYTES", 1000)
    server, found = asked(answering(head(length=2000) + b" " * 2000))
    assert (type(found), len(server.heads)) == (TerminalError, 1)


def test_the_wire_test_knows_every_fault() -> None:
    """Each function of the fault server that takes a connection is a mode, or an answer that is right."""
    made = {n for n, f in vars(faultserver).items() if getattr(f, "__annotations__", {}).get("connection")}
    assert made - {"plain", "packed"} == set(MODES)
