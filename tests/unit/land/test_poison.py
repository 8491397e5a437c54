"""A poison record is a row with a reason, once; its neighbours land, and its page does not stand in the way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.domain.cursor import CALLS, Bookmark
from pipeline.lake.lake import Lake
from pipeline.land.records import Landed
from pipeline.land.walks import Landings
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.pull import walk
from pipeline.pull.client import Client, Patience
from tests.faults.faultserver import FaultServer
from tests.fixtures.records import calls
from tests.unit.land.poison import LANDS, QUARANTINED, item

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, LAST = calls(2)
HASTE = Patience(attempts=3, backoff_first=0.001, backoff_max=0.01)


@dataclass
class Wire:
    """A server that answers what it is told to, and a client of it."""

    server: FaultServer
    client: Client


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with FaultServer([], "date_stop") as server, Client(server.url, "t", HASTE) as client:
        yield Wire(server, client)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def body(*items: str) -> bytes:
    text = f'{{"count": {len(items)}, "items": [{", ".join(items)}], "has_more": false, "limit": 1000}}'
    return text.encode("utf-8", "surrogateescape")


def pull(lake: Lake, wire: Wire, page: bytes) -> Landed:
    nothing = body()
    wire.server.page = lambda query: page if "filter" in query else nothing
    landings, total = Landings(lake, CALLS, "carrierx", NOW, timedelta(minutes=15)), Landed()
    landings.walk(walk.window(wire.client, CALLS, SINCE), Bookmark(), total)
    return total


def counts(landed: Landed) -> tuple[int, ...]:
    return landed.fetched, landed.fresh, landed.superseding, landed.identical, landed.quarantined


def landed_sids(lake: Lake) -> list[str]:
    return lake.scan("land/calls").select("dr_sid").collect().to_series().sort().to_list()


NEIGHBOURS = (json.dumps(FIRST), json.dumps(LAST))


@pytest.mark.parametrize("poison", QUARANTINED.values(), ids=QUARANTINED)
def test_poison_is_quarantined_once_and_its_neighbours_land(poison: str, lake: Lake, wire: Wire) -> None:
    page = body(NEIGHBOURS[0], poison, NEIGHBOURS[1])
    first, again = pull(lake, wire, page), pull(lake, wire, page)
    assert (counts(first), counts(again)) == ((3, 2, 0, 0, 1), (3, 0, 0, 2, 1))
    assert landed_sids(lake) == [FIRST["dr_sid"], LAST["dr_sid"]]
    kept = lake.scan("land/quarantine").collect().to_dicts()
    assert [bool(row["raw"] and row["reason"]) for row in kept] == [True]


@pytest.mark.parametrize("odd", LANDS.values(), ids=LANDS)
def test_odd_but_sound_records_land(odd: str, lake: Lake, wire: Wire) -> None:
    landed = pull(lake, wire, body(NEIGHBOURS[0], odd, NEIGHBOURS[1]))
    assert (counts(landed), "poison" in landed_sids(lake)) == ((3, 3, 0, 0, 0), True)


def test_all_poison_in_one_page(lake: Lake, wire: Wire) -> None:
    """What came is landed or quarantined, nothing else; and it is cheap."""
    page = body(NEIGHBOURS[0], *QUARANTINED.values(), NEIGHBOURS[1])
    assert counts(pull(lake, wire, page)) == (len(QUARANTINED) + 2, 2, 0, 0, len(QUARANTINED))
    assert len(QUARANTINED) >= 60


def test_byte_order_mark_is_no_poison(lake: Lake, wire: Wire) -> None:
    assert counts(pull(lake, wire, b"\xef\xbb\xbf" + body(*NEIGHBOURS))) == (2, 2, 0, 0, 0)


@pytest.mark.parametrize("name", ["lone surrogate in number_src", "NUL in number_src", "5 MB of text"])
def test_quarantine_keeps_bytes_for_its_owner_alone(name: str, lake: Lake, wire: Wire) -> None:
    """The bytes are what came, without the private fields; nobody else may read the file."""
    private = '"message": "a private text", "user_data": {"a": ["a private note"]}, '
    poison = "{" + private + QUARANTINED[name][1:]
    pull(lake, wire, body(NEIGHBOURS[0], poison))
    files = [path for path in lake.home.rglob("*") if path.is_file()]
    assert [path for path in files if b"a private" in path.read_bytes()] == []
    [file] = lake.files("land/quarantine")
    assert file.path.stat().st_mode & 0o777 == 0o600
    raw = lake.scan("land/quarantine").collect()["raw"][0]
    wanted = json.loads(QUARANTINED[name].encode("utf-8", "surrogatepass"))
    assert json.loads(raw) == wanted


def test_poison_at_the_end_of_a_page_does_not_hold_the_cursor(lake: Lake, wire: Wire) -> None:
    """The last item has no readable end, so the walk goes on from the one before."""
    asked: list[dict] = []
    page, nothing = body(*NEIGHBOURS, item(date_stop='"never"')), body()

    def serve(query: dict) -> bytes:
        asked.append(query)
        return page if "filter" in query else nothing

    wire.server.page = serve
    landings, total = Landings(lake, CALLS, "carrierx", NOW, timedelta(0)), Landed()
    mark = landings.walk(walk.window(wire.client, CALLS, SINCE), Bookmark(), total)
    assert (next(q["after"] for q in asked if "after" in q), mark.cursor_sid) == (LAST["dr_sid"],) * 2


def test_record_of_the_year_9999_does_not_become_the_bookmark(lake: Lake, wire: Wire) -> None:
    wire.server.page = lambda query: (
        body(*NEIGHBOURS, QUARANTINED["year 9999"]) if "filter" in query else body()
    )
    landings, total = Landings(lake, CALLS, "carrierx", NOW, timedelta(0)), Landed()
    mark = landings.walk(walk.window(wire.client, CALLS, SINCE), Bookmark(), total)
    assert mark.newest_value == walk.instant(LAST["date_stop"])
