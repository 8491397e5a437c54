"""A second run fetches nothing again but the overlap, changes nothing, bills nothing, sends nothing."""

import fcntl
import os
from datetime import timedelta

import pytest

from pipeline.domain.cursor import FEEDS
from pipeline.settings import Settings
from tests.journey.house import House, Provider

OVERLAP: timedelta = Settings.__dataclass_fields__["overlap"].default


def test_a_second_run_changes_nothing(house: House, march_provider: Provider) -> None:
    house.publish()
    contents, tables = house.contents(), house.tables()
    invoices = house.ledger("select * from invoices order by invoice_sid")
    emails = house.ledger("select * from emails order by email_sid")
    last = house.ledger("select max(landing_id) from landings")[0][0]

    done = house.run()

    assert done.code == 0, done.said
    assert house.contents() == contents
    assert house.tables() == tables
    assert house.ledger("select * from invoices order by invoice_sid") == invoices
    assert house.ledger("select * from emails order by email_sid") == emails
    assert house.statement_differences() == []
    assert_only_the_overlap_was_fetched(house, last)


def assert_only_the_overlap_was_fetched(house: House, last: int) -> None:
    """After landing ``last``, nothing came but what had stopped less than an overlap before the newest record."""
    for feed in FEEDS:
        name, key = feed.resource, feed.sort_key
        newest = house.one(f"select max({key}) from land.{name}")
        overlap = house.one(
            f"select count(*) from land.{name} where {key} > $limit", {"limit": newest - OVERLAP}
        )
        [(fetched, identical)] = house.ledger(
            f"""
            select coalesce(sum(fetched), 0), coalesce(sum(identical), 0) from landings
            where resource = '{name}' and landing_id > {last}
            """
        )
        assert fetched == identical
        assert fetched <= overlap


@pytest.mark.parametrize("command", [("run",), ("pull",), ("invoice",), ("deliver",)], ids=" ".join)
def test_two_at_once_do_not_meet(house: House, command: tuple[str, ...]) -> None:
    contents = house.contents()
    with (house.home / ".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

        refused = house.tollbook(*command)

    assert refused.code == 1
    assert f"process {os.getpid()}" in refused.err
    assert "Try again when it is done" in refused.err
    assert "Traceback" not in refused.said
    assert house.contents() == contents
