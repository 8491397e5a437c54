"""A database serves one use after the other, and none finds anything of the one before."""

import os

import duckdb
import pyarrow as pa
import pytest

from pipeline.errors import LakeError
from pipeline.lake import duck
from pipeline.lake.views import Definition

SCHEMA = Definition("rate", "create schema if not exists rate")


@pytest.fixture(autouse=True)
def none_idle():
    """What earlier tests have left is no matter of these."""
    duck._idle.clear()


@pytest.fixture
def use(tmp_path):
    """Runs statements in one use, and answers the last."""

    def run(*statements, home="home", apart=False):
        with duck.opened("40MB", tmp_path / home, [SCHEMA], apart=apart) as con:
            return [con.execute(statement).fetchall() for statement in statements][-1]

    return run


MADE = [
    ("create table main.left_behind as select 1 as x", "from left_behind"),
    ("create view rate.left_behind as select 1 as x", "from rate.left_behind"),
    ("create temp table left_behind as select 1 as x", "from left_behind"),
    ("create macro left_behind() as table select 1 as x", "from left_behind()"),
]


@pytest.mark.parametrize(("made", "read"), MADE)
def test_what_one_use_makes_the_next_does_not_see(use, made, read):
    assert use(made, read) == [(1,)]

    assert len(duck._idle) == 1
    with pytest.raises(duckdb.CatalogException):
        use(read)


def test_a_use_within_another_sees_nothing_of_it(tmp_path, use):
    with duck.opened("200MB", tmp_path, [SCHEMA]) as con:
        con.register("given", pa.table({"x": [1]}))
        with pytest.raises(duckdb.CatalogException):
            use("from given")
        assert con.execute("from given").fetchall() == [(1,)]


def test_what_is_set_apart_serves_nobody_else(use):
    use("set threads = 1", "set lock_configuration = true", apart=True)
    assert duck._idle == []

    use("select 1")
    use("set threads = 1", apart=True)
    assert use("select current_setting('threads')") == [(2,)]


def test_homes_after_one_another_have_limits_and_folders_of_their_own(tmp_path, use):
    use("select 1", home="one")
    with duck.opened("100MB", tmp_path / "two", [SCHEMA]) as con:
        assert duck._idle == []
        limits = con.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchall()

    assert limits == [("95.3 MiB", str(tmp_path / "two" / "spill"))]


def test_what_has_spilt_is_not_kept(tmp_path, use):
    """Its folder could be no other home's, and goes with it."""
    use("create temp table much as select md5(i::varchar) from range(1500000) as t(i)")

    assert duck._idle == []
    assert not (tmp_path / "home" / "spill").exists()


def test_what_holds_many_footers_is_not_kept(tmp_path, use, monkeypatch):
    file = tmp_path / "x.parquet"
    use(f"copy (select 1 as x) to '{file}'")
    use(f"from read_parquet('{file}')")
    assert len(duck._idle) == 1

    monkeypatch.setattr(duck, "_LITTLE", 100)
    use(f"from read_parquet('{file}')")
    assert duck._idle == []


def test_a_use_that_fails_takes_its_database_along(use):
    """Whatever state it may be in."""
    with pytest.raises(LakeError, match="the tables cannot be read"):
        use("set threads = 1", "from read_parquet('nowhere.parquet')")

    assert use("select current_setting('threads')") == [(2,)]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_its_own(use):
    use("select 1")
    child = os.fork()
    if not child:
        try:
            use("select 1")
            duck._idle.clear()  # of an inherited one, the process would die
            os._exit(0)
        finally:
            os._exit(1)

    assert os.waitpid(child, 0)[1] == 0
    use("select 1")
