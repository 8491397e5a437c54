"""Files that were damaged or removed behind our back are named, and made or pulled again."""

from pathlib import Path

import pytest

from tests.fixtures.mail import free_port
from tests.journey.house import AS_OF, House


def file_of(house: House, table: str, which: int) -> Path:
    """One of a table's files, as its commit names it."""
    with house.lake() as lake:
        return lake.files(table)[which].path


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def test_damaged_files_are_named_repaired_and_everything_is_as_before(house: House, march: House) -> None:
    flipped = [file_of(house, "land/calls", which) for which in (3, 5)]
    gone = file_of(house, "land/messages", 2)
    emptied = file_of(house, "rate/calls", 6)
    for path in flipped:
        flip_a_bit(path)
    gone.unlink()
    emptied.write_bytes(b"")
    # A name for analysts that has become a file of its own, as in a home that was copied, and rots there.
    shown = sorted((house.home / "lake" / "rate" / "messages").rglob("*.parquet"))[3]
    content = shown.read_bytes()
    shown.unlink()
    shown.write_bytes(content[:-9])

    named = house.tollbook("verify")
    assert named.code == 1
    assert "--repair" in named.err
    assert [
        str(p) for p in (*flipped, gone, emptied, shown) if p.name not in named.out.replace("\n", "")
    ] == []

    assert house.tollbook("verify", "--repair").code == 0
    assert shown.read_bytes() == content
    assert house.tollbook("rate", "--as-of", AS_OF).code == 0
    assert house.tollbook("verify").code == 0
    # When a record landed is the one thing that is new about it.
    expected, found = march.tables(without="landed_at"), house.tables(without="landed_at")
    assert {name: expected[name] ^ found[name] for name in expected} == {name: set() for name in expected}
    assert house.statement_differences() == []
    assert house.one("select count(*) from invoice.invoices") == len(expected["invoice/invoices"])


def test_a_repair_that_fails_half_way_is_finished_by_the_next_pull(house: House, march: House) -> None:
    """The day is set aside, and then the provider does not answer."""
    flip_a_bit(file_of(house, "land/calls", 3))
    nobody = {"TOLLBOOK_API_URL": f"http://127.0.0.1:{free_port()}/core/v2"}

    failed = House(house.home, house.warm, {**house.settings, **nobody}).tollbook("verify", "--repair")
    missing = house.one("select count(*) from land.calls")
    pulled = house.tollbook("pull", "--as-of", AS_OF)

    assert (failed.code, pulled.code) == (1, 0), failed.said + pulled.said
    expected, found = march.tables(without="landed_at"), house.tables(without="landed_at")
    assert missing < len(expected["land/calls"])
    assert found["land/calls"] == expected["land/calls"]


@pytest.mark.parametrize(
    ("command", "table"),
    [
        pytest.param(("rate", "--as-of", AS_OF), "land/calls", id="rates"),
        pytest.param(("invoice", "--as-of", "2026-05-03T06:00:00Z"), "rate/calls", id="invoices"),
    ],
)
def test_no_money_is_made_from_a_damaged_file(house: House, command: tuple[str, ...], table: str) -> None:
    """Every day is to be rated anew, the next month is due, and one file of March has rotted."""
    policy = house.home / "masters" / "policy.toml"
    policy.write_text(policy.read_text().replace('"half_up"', '"half_even"'))
    path = file_of(house, table, 4)
    flip_a_bit(path)
    invoices = house.ledger("select count(*), sum(amount) from invoices")

    done = house.tollbook(*command)

    assert done.code == 1, done.said
    assert path.name in done.err.replace("\n", "")
    assert "verify --repair" in done.err
    assert house.ledger("select count(*), sum(amount) from invoices") == invoices


def test_what_nobody_can_make_again_is_left_for_a_backup(house: House) -> None:
    claims = file_of(house, "invoice/claims", 0)
    flip_a_bit(claims)

    done = house.tollbook("verify", "--repair")

    assert "restore it from a backup" in done.out
    assert claims.exists()
    assert house.tollbook("verify").code == 1
