"""The catalogue: tables with their comments for every DuckDB, in step with the commits, under a reader's hands."""

from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from pipeline.lake import catalog, views
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME, TABLES
from pipeline.ledger.ledger import Ledger, sqlite_url

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))
    commit(lake, "USA")
    return lake


def commit(lake: Lake, *codes: str) -> None:
    empty = pl.DataFrame(pl.from_arrow(BY_NAME["land/countries"].schema.empty_table()))
    rows = pl.DataFrame({"iso_3166_alpha_3": list(codes), "valid_from": [NOW] * len(codes)})
    staged = lake.stage(
        "land/countries", "all", pl.concat([empty, rows], how="diagonal_relaxed").cast(empty.schema)
    )
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")
    lake.publish(NOW)


def codes(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        code for (code,) in con.execute("select iso_3166_alpha_3 from land.countries order by 1").fetchall()
    ]


def test_it_follows_the_commits_while_a_reader_holds_the_old_one(lake):
    """A BI tool that has it open goes on; who opens it anew sees the new."""
    with duckdb.connect(lake.layout.catalog, read_only=True) as reader:
        assert codes(reader) == ["USA"]
        commit(lake, "DEU", "GBR")
        assert codes(reader) == ["USA"]
    with duckdb.connect(lake.layout.catalog, read_only=True) as reader:
        assert codes(reader) == ["DEU", "GBR"]


def test_what_is_the_same_is_not_written_again(lake):
    before = lake.layout.catalog.stat()
    lake.publish(NOW)
    assert lake.layout.catalog.stat() == before


def test_it_has_comments_and_macros(lake):
    with duckdb.connect(lake.layout.catalog, read_only=True) as con:
        found = con.execute("from columns_of('land.countries')").fetchall()
        assert {name: meaning for name, _, meaning in found} == {
            name: meaning for name, _, meaning in BY_NAME["land/countries"].columns
        }
        assert con.execute("select e164('0044 20 79460958'), country_of('442079460958')").fetchall() == [
            ("+442079460958", "GBR")
        ]


def test_one_of_another_release_is_made_anew(lake, monkeypatch):
    monkeypatch.setattr(catalog, "macros", lambda: ["create or replace macro newly_added() as 1"])
    for known in (catalog._stamp, catalog._template):
        known.cache_clear()
    try:
        commit(lake, "FRA")
        with duckdb.connect(lake.layout.catalog, read_only=True) as con:
            assert (codes(con), con.execute("select newly_added()").fetchall()) == (["FRA"], [(1,)])
    finally:
        for known in (catalog._stamp, catalog._template):
            known.cache_clear()


def test_a_spoiled_one_is_made_anew(lake):
    lake.layout.catalog.write_bytes(b"no database")
    commit(lake, "FRA")
    with duckdb.connect(lake.layout.catalog, read_only=True) as con:
        assert codes(con) == ["FRA"]


def test_the_script_makes_the_same_tables(lake):
    """What ``duckdb -init sql/init.sql`` runs."""
    with duckdb.connect() as con, duckdb.connect(lake.layout.catalog, read_only=True) as other:
        con.execute(lake.layout.init_sql.read_text(encoding="utf-8"))
        assert codes(con) == ["USA"]
        tables = """
            select schema_name, view_name from duckdb_views()
            where not internal and schema_name <> 'files'
            order by all
        """
        assert con.execute(tables).fetchall() == other.execute(tables).fetchall()
        assert len(con.execute(tables).fetchall()) > len(TABLES)
        assert con.execute("select e164('14155550100')").fetchall() == [("+14155550100",)]


def test_files_of_an_older_release_have_the_columns_of_this_one(lake, tmp_path):
    """A column that came later is null there; one that went is not shown."""
    spec = BY_NAME["land/countries"]
    old = tmp_path / "old.parquet"
    pl.DataFrame({"iso_3166_alpha_3": ["FRA"], "gone_since": [1]}).write_parquet(old)
    with lake.duck() as con:
        con.ensure("land.countries")
        views.create(con, views.table_views(spec, views.over(spec, [old])))
        found = con.execute("from land.countries_history")
        columns = [column[0] for column in found.description]
        row = dict(zip(columns, found.fetchall()[0], strict=True))
    assert columns == [name for name, _, _ in spec.columns]
    assert {name: value for name, value in row.items() if value is not None} == {"iso_3166_alpha_3": "FRA"}
