"""What a ledger promises on either database: one writer, one moment to read, values and order that are the same."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import HomeError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import SCHEMA_VERSION, adjustment_batches, meta, series
from tests.fixtures.ledgers import connected, in_processes, ledger_at, ledger_url

AT = datetime(2026, 3, 1, 5, 30, 0, 250, tzinfo=UTC)
NAMES = ("HCS-CN-2026-000001", "HCS-2026-000002", "hcs-2026-000001", "Ärger", "HCS 2026", "HCS-2026-000010")


def note(tx, key: str, value: str = "x") -> None:
    tx.execute(meta.insert(), {"key": key, "value": value})


@pytest.mark.usefixtures("both")
def test_names_sort_by_their_bytes_whatever_the_server_sorts_by(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    with ledger.transaction() as tx:
        for name in NAMES:
            note(tx, name)
    with ledger.read() as tx:
        found = tx.execute(select(meta.c.key).where(meta.c.key != "schema_version").order_by(meta.c.key))
        assert list(found.scalars()) == sorted(NAMES)


@pytest.mark.usefixtures("both")
def test_a_long_name_is_kept_whole(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    with ledger.transaction() as tx:
        note(tx, "k" * 300)
    assert ledger.get("k" * 300) == "x"


@pytest.mark.usefixtures("both")
def test_instants_come_back_to_the_microsecond_and_sort_as_time(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    moments = [AT.replace(year=2027), AT, AT.replace(microsecond=0), AT.replace(second=1)]
    with ledger.transaction() as tx:
        for n, at in enumerate(moments):
            tx.execute(
                adjustment_batches.insert(),
                {"batch_sid": f"b{n}", "at": at, "by": "ann", "kind": "k", "reason": "r"},
            )
    with ledger.read() as tx:
        found = tx.execute(select(adjustment_batches.c.at).order_by(adjustment_batches.c.at))
        assert list(found.scalars()) == sorted(moments)


@pytest.mark.usefixtures("both")
def test_what_fails_half_way_was_never_there(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    with pytest.raises(KeyError), ledger.transaction() as tx:
        note(tx, "half")
        raise KeyError
    assert ledger.get("half") is None


@pytest.mark.usefixtures("both")
def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    reader, writer = ledger_at(tmp_path), ledger_at(tmp_path)
    count = select(meta.c.key)
    with reader.read() as tx:
        before = len(tx.execute(count).all())
        with writer.transaction() as other:
            note(other, "meanwhile")
        assert len(tx.execute(count).all()) == before
    assert reader.get("meanwhile") == "x"


def _count_up(url: str) -> list[int]:
    """Twenty times: read, add one, write back."""
    ledger = Ledger.open(url)
    seen = []
    try:
        for _ in range(20):
            with ledger.transaction() as tx:
                last = tx.execute(select(series.c.last)).scalar_one()
                tx.execute(series.update().values(last=last + 1))
                seen.append(last + 1)
    finally:
        ledger.close()
    return seen


@pytest.mark.usefixtures("both")
def test_four_writers_take_turns(tmp_path: Path) -> None:
    with ledger_at(tmp_path).transaction() as tx:
        tx.execute(series.insert(), {"series": "HCS", "year": 2026, "last": 0})
    url = ledger_url(tmp_path)
    seen = [n for part in in_processes(_count_up, [url] * 4) for n in part]
    assert sorted(seen) == list(range(1, 81))


def _open_new(url: str) -> str | None:
    ledger = Ledger.open(url)
    try:
        return ledger.get("schema_version")
    finally:
        ledger.close()


@pytest.mark.usefixtures("both")
def test_four_processes_make_one_ledger(tmp_path: Path) -> None:
    url = ledger_url(tmp_path)
    assert in_processes(_open_new, [url] * 4) == [str(SCHEMA_VERSION)] * 4
    with connected(url) as tx:
        assert tx.exec_driver_sql("select count(*) from meta").scalar() == 1


def test_money_must_be_decimal(tmp_path: Path) -> None:
    from pipeline.ledger.schema import entries

    row = {"txn_id": "t", "at": AT, "account": "a", "partner_sid": "p", "seller": "s", "kind": "k"}
    row |= {"currency": "USD"}
    ledger = ledger_at(tmp_path)
    with ledger.transaction() as tx:
        tx.execute(entries.insert(), row | {"amount": Decimal("1234567890.1234567890")})
    with ledger.read() as tx:
        assert tx.execute(select(entries.c.amount)).scalar_one() == Decimal("1234567890.1234567890")
    with pytest.raises(Exception, match="money must be Decimal"), ledger.transaction() as tx:
        tx.execute(entries.insert(), row | {"amount": 1.5, "txn_id": "u"})


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    url = f"postgresql://desk:secret@/postgres?host={tmp_path}"
    with pytest.raises(HomeError, match="server runs and lets this user in") as told:
        Ledger.open(url)
    assert "secret" not in str(told.value)
