"""A ledger on a PostgreSQL server that is cut off at the worst moment: nothing is half-done, and the next one works."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import HomeError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import meta
from tests.fixtures.databases import postgresql  # noqa: F401
from tests.fixtures.ledgers import connected, ledger_at, ledger_url, on


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
