"""Planted fraud is found with exactly its records, and ordinary traffic raises next to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.domain.cursor import CALLS, MESSAGES, Bookmark, Page
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.land.records import land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.masters.files import read_masters
from pipeline.masters.signals import KINDS
from pipeline.measure.alarms import mark_told, untold
from pipeline.measure.signals import find_signals
from pipeline.provider.fraud import KINDS as PLANTED
from pipeline.provider.world import World, WorldConfig
from pipeline.shipped import shipped

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
MASTERS = read_masters(shipped("data", "masters"))
SMALL = WorldConfig(calls=3000, messages=400, partners=13, fraud="all")


@contextmanager
def landed(folder: Path, world: World) -> Iterator[Lake]:
    """A home in which all that this world knows has landed."""
    ledger = Ledger.open(sqlite_url(folder / "ledger.db"))
    lake = Lake(folder, ledger)
    for feed, held in ((CALLS, world.call_feed), (MESSAGES, world.message_feed)):
        items = [held.record(index, world.now_ms) for index in range(held.count)]
        land_pages(lake, feed, [Page(items)], Bookmark(), source="carrierx", now=NOW)
    put(
        lake,
        "land/partners",
        [
            {name: p.record[name] for name in ("partner_sid", "parent_sid", "company_name")}
            for p in world.partners
        ],
    )
    put(
        lake,
        "land/dids",
        [{name: d[name] for name in ("did_sid", "phonenumber", "partner_sid")} for d in world.dids],
    )
    yield lake
    ledger.close()


def put(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    schema = BY_NAME[table].schema
    filled = [dict.fromkeys(schema.names) | {"valid_from": NOW} | row for row in rows]
    staged = lake.stage(table, "all", pa.Table.from_pylist(filled, schema=schema))
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")


@pytest.fixture(scope="module")
def world() -> World:
    return World(SMALL)


@pytest.fixture(scope="module")
def lake(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The world with each kind of fraud in it, looked at."""
    with landed(tmp_path_factory.mktemp("planted"), world) as lake:
        find_signals(lake, lake.ledger, MASTERS, now=NOW)
        yield lake


@pytest.fixture(scope="module")
def found(lake: Lake) -> dict[str, list[str]]:
    """The records of each signal, by its kind."""
    rows = lake.query(
        "select kind, list(dr_sid order by dr_sid) as sids from measure.fraud "
        "join measure.fraud_records using (signal_sid) group by signal_sid, kind"
    )
    assert len({row["kind"] for row in rows}) == len(rows), "a kind is found more than once"
    return {row["kind"]: row["sids"] for row in rows}


def test_each_kind_is_found_and_no_other() -> None:
    assert set(PLANTED) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_fraud_is_found_with_exactly_its_records(
    world: World, found: dict[str, list[str]], kind: str
) -> None:
    assert found[kind] == sorted(world.truth()["fraud"][kind])


def test_a_signal_says_what_stands_behind_it(lake: Lake) -> None:
    [row] = lake.query("from measure.fraud where kind = 'spend'")
    [sums] = lake.query(
        "select count(*) as records, sum(price) as cost from measure.fraud_records "
        "where signal_sid = $signal_sid",
        {"signal_sid": row["signal_sid"]},
    )

    assert {name: row[name] for name in sums} == sums
    assert row["measured"] > row["threshold"] > 0
    assert (row["window_start"] < row["window_end"], row["window_end"].date()) == (True, row["day"])


def test_what_has_not_changed_is_not_looked_at_again(lake: Lake) -> None:
    report = find_signals(lake, lake.ledger, MASTERS, now=NOW)

    assert (report.written, report.unchanged > 0) == (0, True)


def test_a_month_whose_file_is_gone_is_looked_at_again(lake: Lake) -> None:
    before = lake.query("from measure.signals order by signal_sid")
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [], at=NOW, stage="verify", remove=[("measure/signals", "month=2026-03")])

    find_signals(lake, lake.ledger, MASTERS, now=NOW)

    assert lake.query("from measure.signals order by signal_sid") == before


def test_somebody_is_told_of_each_signal_once(lake: Lake) -> None:
    policy = replace(MASTERS.policy.signals, tell_from="medium")
    news = untold(lake, lake.ledger, policy)
    mark_told(lake.ledger, news, how=["e-mail"], at=NOW)

    assert [alarm.severity for alarm in news] == sorted(
        (a.severity for a in news), key=["high", "medium"].index
    )
    assert untold(lake, lake.ledger, policy) == []
    assert {alarm.severity for alarm in untold(lake, lake.ledger, MASTERS.policy.signals)} == {"low"}


def test_an_ordinary_month_raises_at_most_one_alarm_per_customer(tmp_path: Path) -> None:
    ordinary = World(WorldConfig(seed=2, calls=12_000, messages=2_000))
    with landed(tmp_path, ordinary) as lake:
        find_signals(lake, lake.ledger, MASTERS, now=NOW)
        most = lake.query(
            "select count(*) as signals from measure.signals group by partner_sid order by all desc"
        )

    assert sum(row["signals"] > 1 for row in most) == 0
