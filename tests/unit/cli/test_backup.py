"""A home in one file, and back: whole, checked, without secrets, and able to go on."""

import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.backups import back_up
from pipeline.desk import Desk
from pipeline.errors import HomeError
from pipeline.homes import make_home
from pipeline.settings import Settings
from tests.journey.house import House

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


def test_a_restored_home_has_everything_and_goes_on(house: House, tmp_path: Path) -> None:
    (house.home / ".env").write_text("TOLLBOOK_API_TOKEN=very-secret\n")
    (house.home / ".gitignore").write_text("*\n")
    (house.home / "outbox").chmod(0o700)
    (house.home / "masters" / "taxes.csv").chmod(0o660)
    saved, copy = tmp_path / "home.tar", tmp_path / "copy"
    assert house.tollbook("backup", str(saved)).code == 0
    done = house.tollbook("restore", str(saved), str(copy))
    assert done.code == 0, done.err
    with tarfile.open(saved) as archive:
        names = archive.getnames()
    assert ".env" not in names
    assert b"very-secret" not in saved.read_bytes()
    assert (saved.stat().st_mode & 0o777) == 0o600
    for folder in ("documents", "masters", "lake"):
        assert tree(copy / folder) == tree(house.home / folder)
    assert (copy / ".gitignore").read_text() == "*\n"
    assert modes(copy, "outbox", "masters", "documents", "masters/taxes.csv") == modes(
        house.home, "outbox", "masters", "documents", "masters/taxes.csv"
    )
    query = "select count(*), sum(amount) from rate.calls"
    asked = [
        house.warm.tollbook("--home", str(home), "sql", "-f", "csv", query, env=house.settings)
        for home in (house.home, copy)
    ]
    assert asked[0].out == asked[1].out != ""
    assert house.warm.tollbook("--home", str(copy), "verify", env=house.settings).code == 0


def test_a_damaged_backup_makes_no_home(house: House, tmp_path: Path) -> None:
    saved, copy = tmp_path / "home.tar", tmp_path / "copy"
    house.tollbook("backup", str(saved))
    content = bytearray(saved.read_bytes())
    with tarfile.open(saved) as archive:
        member = next(m for m in archive if m.name.endswith(".parquet") and m.isreg())
    content[member.offset_data + member.size // 2] ^= 1
    saved.write_bytes(bytes(content))
    done = house.tollbook("restore", str(saved), str(copy))
    assert (done.code, "is damaged" in done.err, copy.exists()) == (1, True, False)


def test_a_backup_that_was_cut_short_makes_no_home(house: House, tmp_path: Path) -> None:
    saved, copy = tmp_path / "home.tar", tmp_path / "copy"
    house.tollbook("backup", str(saved))
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    done = house.tollbook("restore", str(saved), str(copy))
    assert (done.code, copy.exists(), list(tmp_path.glob("*.restoring"))) == (1, False, [])


def test_neither_overwrites_anything(house: House, tmp_path: Path) -> None:
    saved = tmp_path / "home.tar"
    house.tollbook("backup", str(saved))
    before = saved.read_bytes()
    assert house.tollbook("backup", str(saved)).code == 1
    assert house.tollbook("restore", str(saved), str(house.home)).code == 1
    assert saved.read_bytes() == before


@pytest.mark.parametrize("room", [20_000, 100_000], ids=["not for the files", "not for the ledger"])
def test_a_target_without_room_is_named_and_nothing_of_it_stays(room: int, tmp_path: Path) -> None:
    make_home(tmp_path / "home")
    desk = Desk.open(Settings(home=tmp_path / "home"), now=NOW)
    target = tmp_path / "full" / "home.tar"
    target.parent.mkdir()

    with pytest.raises(HomeError, match=f"The backup {target} was not made; name a file"), files_up_to(room):
        back_up(desk, target)
    desk.ledger.close()
    assert list(target.parent.iterdir()) == []


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Within the block no file grows beyond this many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def modes(home: Path, *names: str) -> list[str]:
    return [oct((home / name).stat().st_mode & 0o777) for name in names]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
