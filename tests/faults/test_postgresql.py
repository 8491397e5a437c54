"""A ledger on a PostgreSQL server that is cut off at the worst moment, or whose desk is killed: nothing is half-done,
and the next one works. What else happens is the same on both databases: see ``unit/ledger/test_both_alike.py``.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from pipeline.errors import HomeError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import entries, invoices, meta
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.fixtures.billing import ACME, BOREAL, Desk, masters
from tests.fixtures.databases import postgresql  # noqa: F401
from tests.fixtures.ledgers import connected, ledger_at, ledger_url, on
from tests.journey.house import AS_OF, RATES, TOKEN, make_house
from tests.journey.warm import Warm


@pytest.fixture
def url(postgresql: str, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    with on(postgresql):
        yield ledger_url(tmp_path)


def cut(url: str) -> None:
    """Ends every other session, as a restart of the server does."""
    with connected(url) as tx:
        tx.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )


def keys(ledger: Ledger) -> set[str]:
    with ledger.read() as tx:
        return set(tx.execute(select(meta.c.key)).scalars())


def test_a_connection_that_is_lost_within_a_transaction_leaves_nothing(url: str, tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    with pytest.raises(HomeError, match="does not answer"), ledger.transaction() as tx:
        tx.execute(meta.insert(), {"key": "first", "value": "x"})
        cut(url)
        tx.execute(meta.insert(), {"key": "second", "value": "x"})
    assert keys(ledger) == {"schema_version"}


def test_a_connection_that_is_lost_at_the_commit_leaves_nothing(url: str, tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    with pytest.raises(HomeError, match="does not answer"), ledger.transaction() as tx:
        tx.execute(meta.insert(), {"key": "first", "value": "x"})
        cut(url)
    assert keys(ledger) == {"schema_version"}


def test_a_connection_that_was_lost_between_transactions_is_made_anew(url: str, tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    assert keys(ledger) == {"schema_version"}
    cut(url)
    with ledger.transaction() as tx:
        tx.execute(meta.insert(), {"key": "after", "value": "x"})
    assert keys(ledger) == {"schema_version", "after"}


def test_a_writer_that_was_cut_off_does_not_keep_the_lock(url: str, tmp_path: Path) -> None:
    gone, other = ledger_at(tmp_path), ledger_at(tmp_path)
    with pytest.raises(HomeError), gone.transaction():
        cut(url)
        with other.transaction() as tx:
            tx.execute(meta.insert(), {"key": "other", "value": "x"})
    assert keys(other) == {"schema_version", "other"}


# A desk that is killed

HELD = masters(ACME, BOREAL)


def _bill_until(home: str, server: str, nth: int) -> None:
    """Bills, and dies as it comes to its nth commit."""
    commit, seen = Connection.commit, Counter[str]()

    def killed(tx: Connection) -> None:
        seen["commit"] += 1
        if seen["commit"] == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(tx)

    with on(server):
        desk = Desk(Path(home), HELD)
        Connection.commit = killed  # type: ignore[method-assign]
        desk.bill()


def test_a_desk_that_is_killed_at_every_commit_bills_everything_once(
    postgresql: str,  # noqa: F811
    url: str,
    tmp_path: Path,
) -> None:
    desk = (
        Desk(tmp_path, HELD).call("a", "10").call("b", "5", payer_sid="boreal", partner_sid="boreal").commit()
    )
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.fixtures.billing"])
    codes = []
    while 0 not in codes:
        child = context.Process(target=_bill_until, args=(str(tmp_path), postgresql, len(codes) + 1))
        child.start()
        child.join()
        codes.append(child.exitcode)
    assert len(codes) > 4
    assert set(codes) == {0, -signal.SIGKILL}
    found = [(i.number, i.partner_sid, i.amount) for i in desk.ledger_rows(invoices)]
    assert sorted(found) == [
        ("HCS-2026-000001", "acme", Decimal("10.00")),
        ("HCS-2026-000002", "boreal", Decimal("5.00")),
    ]
    assert sorted(e.amount for e in desk.ledger_rows(entries) if e.account == "receivable") == [5, 10]


def _issued(url: str) -> list[Any]:
    with connected(url) as tx:
        known = tx.exec_driver_sql("select to_regclass('invoices')").scalar()
        return list(tx.execute(select(invoices.c.number))) if known else []


def test_a_home_whose_ledger_is_on_a_server_bills_a_month_though_it_is_killed(
    url: str, tmp_path: Path, warm: Warm
) -> None:
    last_days = WorldConfig(seed=5, calls=200, messages=40, start=date(2026, 3, 29), days=3, rates=RATES)
    with start_background(last_days, TOKEN) as provider:
        house = make_house(tmp_path / "home", warm, provider.url, TOLLBOOK_DATABASE_URL=url)
        for stage in ("pull", "rate"):
            assert house.tollbook(stage, "--as-of", AS_OF).code == 0
        invoicing = house.start("invoice", "--as-of", AS_OF)
        assert invoicing.kill_when(lambda: bool(_issued(url)), children=True).code == -signal.SIGKILL
        done = house.tollbook("invoice", "--as-of", AS_OF)
        assert done.code == 0, done.said
        assert " wait for approval, 0 customers parked" in done.out
    assert house.statement_differences() == []
    assert not (house.home / "ledger.db").exists()
    numbers = Counter(number.rpartition("-")[0] for (number,) in _issued(url) if number)
    series = {f"{prefix}-{n:06d}" for prefix, last in numbers.items() for n in range(1, last + 1)}
    assert series == {number for (number,) in _issued(url) if number}
    assert sum(numbers.values()) > 10


def test_a_backup_says_how_the_ledger_on_a_server_is_saved_and_put_back(
    url: str, tmp_path: Path, warm: Warm
) -> None:
    house = make_house(tmp_path / "home", warm, "http://127.0.0.1:1", TOLLBOOK_DATABASE_URL=url)
    saved = tmp_path / "my home.tar"

    backup, restore = house.tollbook("backup", saved), house.tollbook("restore", saved, tmp_path / "copy")

    dump = f"'{saved}.dump'"
    assert f'pg_dump --format=custom --file={dump} "$TOLLBOOK_DATABASE_URL"' in backup.out
    assert f'pg_restore --no-owner --dbname="$TOLLBOOK_DATABASE_URL" {dump}' in restore.out
