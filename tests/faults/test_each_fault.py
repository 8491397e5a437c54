"""Each fault of the sandbox alone, through two whole small pulls: the tables of a quiet provider, or a typed error.

An error says what it is and what to do; once the fault is over the next pull makes the same tables. Where the fault is
in the records themselves, the tables are what the provider holds. A fault that is not in ``CASES`` fails a test here.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.desk import Desk
from pipeline.desk.dimensions import pull_dimension
from pipeline.domain.cursor import FEEDS
from pipeline.errors import ForbiddenError, ProviderError, TerminalError
from pipeline.provider.faults import Faults
from pipeline.provider.oauth import CLIENT_ID, CLIENT_SECRET, PASSWORD
from pipeline.provider.server import Background, start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.pull import walk
from pipeline.pull.client import Client, Patience
from pipeline.settings import Settings
from tests.journey.house import TOKEN, Provider

FIRST, LAST = datetime(2026, 3, 2, 18, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
HASTE = Patience(connect=5, read=5, page=0.5, total=60, attempts=12, backoff_first=0.001, backoff_max=0.01)
TABLES = ("calls", "messages", "partners", "mediator_dids")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault's value, and what it may do: ``stops`` is the error that it may end in, ``said`` words of it.

    ``records`` says that the records themselves are not those of a quiet provider.
    """

    value: str
    stops: type[ProviderError] | None = None
    said: tuple[str, ...] = ()
    records: bool = False


CASES = {
    "late_inserts": Case("0.1", records=True),
    "late_status": Case("0.5", records=True),
    "version_bumps": Case("20", records=True),
    "wrong_charges": Case("5", records=True),
    "missing_answer": Case("3", records=True),
    "poison": Case("8", records=True),
    "unknown_values": Case("4", records=True),
    "expired_cursors": Case("2"),
    "http_409": Case("0.2"),
    "http_429": Case("0.2"),
    "http_500": Case("0.2"),
    "html_502": Case("0.2"),
    "bad_json": Case("0.2"),
    "bad_gzip": Case("0.2"),
    "bomb": Case("0.1"),
    "truncated": Case("0.2"),
    "drip": Case("0.1"),
    "slow": Case("0.005"),
    "redirects": Case("0.2", TerminalError, ("302",)),
    "empty_pages": Case("0.5"),
    "repeated_pages": Case("0.3", TerminalError, ("repeats records", "run again")),
    "unsorted_pages": Case("0.3", TerminalError, ("repeats records", "run again")),
    "wrong_count": Case("0.3"),
    "most_per_page": Case("7"),
    "lying_links": Case("1"),
    "far_before": Case("1"),
    "mediator_inner_failure": Case("0.3"),
    "token_expires": Case("1"),
    "insert_order": Case("1"),
    "forbidden": Case("messages", ForbiddenError, ("scope", "sms")),
}


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, and little patience with a provider that is slow on purpose."""
    usual = Client.__init__.__defaults__ or ()
    hasty = tuple(HASTE if isinstance(value, Patience) else value for value in usual)
    monkeypatch.setattr(Client.__init__, "__defaults__", hasty)
    monkeypatch.setattr("pipeline.pull.client._LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(walk, "LIMIT", 20)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[tuple[World, Background]]:
    world = World(WorldConfig(seed=5, calls=120, messages=40, start=date(2026, 3, 1), days=3))
    with start_background(world, TOKEN, process=False) as background:
        yield world, background


@pytest.fixture
def provider(sandbox: tuple[World, Background]) -> Iterator[Provider]:
    """The provider, without a fault afterwards."""
    provider = Provider(sandbox[1])
    yield provider
    provider.set_faults("")


def settings(home: Path, provider: Provider, since: datetime) -> Settings:
    """By token; by password where tokens expire."""
    if "token_expires" not in provider.admin("faults")["faults"]:
        return Settings(home, provider.url, TOKEN, since=since)
    named = {
        "oauth_client_id": CLIENT_ID,
        "oauth_client_secret": CLIENT_SECRET,
        "oauth_username": "harborcarrierservi",
        "oauth_password": PASSWORD,
    }
    return Settings(home, provider.url, since=since, **named)


def pull(home: Path, provider: Provider, now: datetime, since: datetime) -> None:
    provider.set_clock(now.isoformat())
    desk = Desk.open(settings(home, provider, since), now=now)
    try:
        for feed in FEEDS:
            desk.pull_feed(feed)
        desk.pull_snapshot("partners")
        pull_dimension(desk, "mediator_dids")
    finally:
        desk.ledger.close()


def pull_twice(home: Path, provider: Provider, faults: str = "") -> None:
    """In the middle of the traffic from its second day on, then at its end, and back to its first day."""
    for now, day in ((FIRST, 2), (LAST, 1)):
        provider.set_faults(faults)
        pull(home, provider, now, datetime(2026, 3, day, tzinfo=UTC))


def tables(home: Path, provider: Provider) -> dict[str, list[str]]:
    """Every row; when it landed depends on when it was let through."""
    desk = Desk.open(settings(home, provider, LAST), now=LAST)
    found = {}
    for name in TABLES:
        frame = desk.lake.scan(f"land/{name}").collect()
        told = [
            c
            for c in frame.columns
            if c not in ("landed_at", "revision", "first_seen", "fetched_at", "seen_at")
        ]
        found[name] = sorted(map(repr, frame.select(told).rows()))
    desk.ledger.close()
    return found


@pytest.fixture(scope="module")
def quiet(
    sandbox: tuple[World, Background], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What lands when nothing goes wrong."""
    home, provider = tmp_path_factory.mktemp("quiet"), Provider(sandbox[1])
    pull_twice(home, provider)
    found = tables(home, provider)
    assert [len(found[name]) for name in ("calls", "messages")] == [120, 40]
    return found


def held(home: Path, provider: Provider) -> dict[str, dict[str, tuple]]:
    """The records of a home: version, price and what tells them apart."""
    desk = Desk.open(settings(home, provider, LAST), now=LAST)
    found = {}
    for name, word in (("calls", "direction"), ("messages", "status")):
        frame = desk.lake.scan(f"land/{name}").select("dr_sid", "version", "price", word).collect()
        found[name] = {row[0]: row[1:] for row in frame.rows()}
    quarantined = desk.lake.scan("land/quarantine").collect()["dr_sid"].to_list()
    desk.ledger.close()
    return found | {"quarantine": dict.fromkeys(quarantined, ())}


def there(world: World, but: set[str]) -> dict[str, dict[str, tuple]]:
    """The same of the provider, without some."""

    def told(feed: Any, word: str) -> dict[str, tuple]:
        records = (feed.record(index, world.now_ms) for index in range(feed.count))
        texts = ({k: _plain(v) for k, v in record.items()} for record in records)
        return {
            r["dr_sid"]: (r["version"], Decimal(r["price"]), r[word]) for r in texts if r["dr_sid"] not in but
        }

    calls, messages = told(world.calls, "direction"), told(world.messages, "status")
    return {"calls": calls, "messages": messages, "quarantine": dict.fromkeys(but, ())}


def differing(one: dict[str, dict], other: dict[str, dict]) -> dict[str, tuple]:
    """The records that are not the same in both."""
    sids = [(name, sid) for name in one for sid in one[name].keys() | other[name].keys()]
    pairs = {sid: (one[name].get(sid), other[name].get(sid)) for name, sid in sids}
    return {sid: pair for sid, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    """A value that stands in the record as raw JSON."""
    return bytes(value).decode().strip('"') if type(value).__name__ == "Raw" else value


@pytest.mark.parametrize("fault", CASES)
def test_each_fault_alone(
    fault: str,
    sandbox: tuple[World, Background],
    provider: Provider,
    quiet: dict[str, list[str]],
    tmp_path: Path,
) -> None:
    case, world = CASES[fault], sandbox[0]

    if case.stops is None:
        pull_twice(tmp_path, provider, f"{fault}={case.value}")
    else:
        with suppress(case.stops):
            pull_twice(tmp_path, provider, f"{fault}={case.value}")
        pull_twice(tmp_path, provider)

    if case.records:
        poisoned = {entry["dr_sid"] for entry in provider.admin("truth")["planted"]["poison"]}
        assert differing(held(tmp_path, provider), there(world, poisoned)) == {}
        assert len(poisoned) == (8 if fault == "poison" else 0)
    else:
        assert tables(tmp_path, provider) == quiet


STOPS = {fault: case for fault, case in CASES.items() if case.stops}


@pytest.mark.parametrize("fault", STOPS)
def test_a_fault_that_stops_says_what_it_is(fault: str, provider: Provider, tmp_path: Path) -> None:
    case = STOPS[fault]
    value = case.value if fault == "forbidden" else "1"
    assert case.stops is not None

    with pytest.raises(case.stops) as told:
        pull_twice(tmp_path, provider, f"{fault}={value}")

    assert [word for word in case.said if word not in str(told.value)] == []


def test_every_fault_has_its_case() -> None:
    assert set(CASES) == set(Faults.known())
