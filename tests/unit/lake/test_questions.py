"""Questions read the lake and nothing else, and tables explain themselves."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import QueryError
from pipeline.lake.lake import Lake
from pipeline.lake.questions import Questions
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
    rows = {"iso_3166_alpha_3": ["USA", "DEU"], "valid_from": [NOW, NOW]}
    empty = pl.DataFrame(pl.from_arrow(BY_NAME["land/countries"].schema.empty_table()))
    frame = pl.concat([empty, pl.DataFrame(rows)], how="diagonal_relaxed")
    staged = lake.stage("land/countries", "all", frame.cast(empty.schema))
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")
    return lake


@pytest.fixture
def ask(lake):
    with lake.ask() as ask:
        yield ask


@pytest.mark.parametrize(
    "query",
    [
        "from read_csv('/etc/passwd')",
        "select content from read_text('/etc/passwd')",
        "from read_blob('/proc/self/environ')",
        "from glob('/etc/*')",
        "from 'https://example.org/a.parquet'",
        "from read_parquet('s3://bucket/a.parquet')",
        "copy (select 1) to '/tmp/tollbook-copied.csv'",
        "copy land.countries to 'countries.csv'",
        "export database '/tmp/tollbook-exported'",
        "attach '/tmp/tollbook-other.db'",
        "attach 'ledger.db' (type sqlite)",
        "install httpfs",
        "load httpfs",
        "select getenv('HOME')",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "reset lock_configuration",
        "pragma enable_profiling = 'json'; pragma profiling_output = '/tmp/tollbook-profile.json'; select 1",
        "explain analyze copy (select 1) to '/tmp/tollbook-explained.csv'",
        "prepare p as copy (select 1) to '/tmp/tollbook-prepared.csv'",
        "create secret (type s3, key_id 'a', secret 'b')",
        "",
        "-- nothing",
        "selec 1",
    ],
)
def test_what_reaches_outside_is_refused(ask: Questions, query: str):
    with pytest.raises(QueryError):
        ask(query)
    assert ask("select count(*) from land.countries").rows == [(2,)]


@pytest.mark.parametrize(
    "query",
    [
        "with c as (from land.countries) select count(*) from c",
        "create temp table mine as from land.countries; select count(*) from mine",
        "pivot land.countries on iso_3166_alpha_3 using count(*)",
        "explain select * from land.countries",
        "summarize land.countries",
        "show all tables",
        "set variable who = 'USA'; select getvariable('who')",
    ],
)
def test_what_works_in_memory_is_answered(ask: Questions, query: str):
    assert ask(query).rows


@pytest.mark.parametrize(
    "asked", ["describe land.countries", "DESC land.countries;", 'describe "land"."countries"']
)
def test_describe_says_what_columns_mean(ask: Questions, asked: str):
    assert ask(asked).columns == ["column_name", "column_type", "meaning"]
    expected = {name: meaning for name, _, meaning in BY_NAME["land/countries"].columns}
    assert {name: meaning for name, _, meaning in ask(asked).rows} == expected


@pytest.mark.parametrize("asked", ["show tables", "SHOW ALL TABLES;"])
def test_show_tables_says_what_tables_mean(ask: Questions, asked: str):
    assert ask(asked).columns == ["name", "meaning"]
    found = dict(ask(asked).rows)
    assert found["land.countries"] == BY_NAME["land/countries"].grain
    assert {table.replace("/", ".") for table in BY_NAME} <= set(found)
    ask("create temp table mine as select 1 as one; create view measure.of_mine as from mine")
    assert dict(ask(asked).rows) == {"mine": None, "measure.of_mine": None, **found}


def test_describe_of_a_query_is_duckdbs_own(ask: Questions):
    assert ask("describe select 1 as one").rows[0][:2] == ("one", "INTEGER")


def test_every_view_and_column_has_a_comment(ask: Questions):
    """What is there without a word about it, by name."""
    silent = ask("""
        select schema_name || '.' || view_name from duckdb_views() where not internal and coalesce(comment, '') = ''
        union all
        select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()
        where not internal and coalesce(comment, '') = ''
        order by 1
    """).rows
    assert silent == []


def test_answers_keep_their_types_for_a_file(ask: Questions):
    found = ask.table(
        "select 1.10::decimal(20, 10) as amount, iso_3166_alpha_3 as code from land.countries order by 2"
    )
    assert [str(field.type) for field in found.schema] == ["decimal128(20, 10)", "string"]
    assert found["code"].to_pylist() == ["DEU", "USA"]


def test_a_view_that_does_not_work_is_left_out_and_named(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """With it those that need it; all others answer."""
    from pipeline.lake import views

    for name, query in (
        ("a_broken", "select no_such_column from land.countries"),
        ("b_needs_it", "select * from measure.a_broken"),
        ("c_works", "select count(*) as n from land.countries"),
    ):
        (tmp_path / f"{name}.sql").write_text(query)
    shipped = views.shipped_files
    monkeypatch.setattr(
        views,
        "shipped_files",
        lambda folder: sorted(tmp_path.glob("*.sql")) if folder == "measure" else shipped(folder),
    )
    with lake.ask() as ask:
        assert ask("from measure.c_works").rows == [(2,)]
        with pytest.raises(QueryError, match="no_such_column") as told:
            ask("from measure.b_needs_it")
        assert str(tmp_path / "a_broken.sql") in str(told.value)
        assert ask("select view_name from duckdb_views() where view_name like 'c_works'").rows == [
            ("c_works",)
        ]
        assert sorted(ask.broken) == ["measure.a_broken", "measure.b_needs_it"]


@pytest.mark.parametrize(
    "question",
    [
        "select count(*) from land.partners",
        "select count(partner_sid) from land.partners",
        "select count(*) from land.partners where partner_sid = 'acme'",
        "select common_name from land.countries where common_name not in (select name from land.partners)",
        "from land.countries as c where not exists (from land.partners as p where p.name = c.common_name)",
        "select name from land.partners where name > 'a' union all select common_name from land.countries",
    ],
)
def test_a_missing_file_is_said_by_its_table_alone(lake: Lake, tmp_path: Path, question: str):
    """Whoever reads that table is told what to do, also where a filter would leave nothing of it."""
    from pipeline.lake import views

    gone = tmp_path / "gone.parquet"
    with lake.duck() as con:
        views.create(
            con, views.table_views(BY_NAME["land/partners"], views.over(BY_NAME["land/partners"], [gone]))
        )
        assert con.execute("select count(*) from land.countries").fetchall() == [(2,)]
        with pytest.raises(
            Exception, match=r"gone\.parquet is missing or damaged\. Run `tollbook verify --repair`"
        ):
            con.execute(question).fetchall()
