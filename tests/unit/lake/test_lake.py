"""The lake: what is committed is visible, what is not does not exist, what is damaged is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.errors import LakeError, QueryError
from pipeline.lake import views
from pipeline.lake.care import misshown, show_anew
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME, TABLES
from pipeline.ledger.ledger import Ledger, sqlite_url

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def countries(*codes: str) -> pl.DataFrame:
    empty = pl.from_arrow(BY_NAME["land/countries"].schema.empty_table())
    rows = pl.DataFrame({"iso_3166_alpha_3": list(codes)}).with_columns(
        pl.lit(NOW).dt.cast_time_unit("ms").alias("valid_from")
    )
    return pl.concat([empty, rows], how="diagonal_relaxed")


def commit(lake: Lake, frame: pl.DataFrame, label: str = "all", at: datetime = NOW) -> None:
    staged = lake.stage("land/countries", label, frame)
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=at, stage="land")


def seen(lake: Lake) -> list[str]:
    return lake.scan("land/countries").collect()["iso_3166_alpha_3"].to_list()


def copied(name: Path, *, flip: bool = False) -> None:
    """Makes a name a file of its own."""
    content = bytearray(name.read_bytes())
    content[len(content) // 2] ^= 0x10 * flip
    name.unlink()
    name.write_bytes(content)


def test_staged_file_is_not_visible_before_its_commit(lake: Lake) -> None:
    """A file that no row names does not exist."""
    lake.stage("land/countries", "all", countries("USA"))
    assert seen(lake) == []


def test_rolled_back_transaction_leaves_the_table_as_it_was(lake: Lake) -> None:
    """Files and whatever else belongs to the step come together or not at all."""
    commit(lake, countries("USA"))
    staged = lake.stage("land/countries", "all", countries("DEU"))
    with pytest.raises(RuntimeError), lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")
        raise RuntimeError
    assert seen(lake) == ["USA"]


def test_commit_replaces_what_had_the_same_label(lake: Lake) -> None:
    """One live file per table and label."""
    commit(lake, countries("USA"))
    commit(lake, countries("DEU", "GBR"))
    commit(lake, countries("FRA"), label="more")
    assert seen(lake) == ["DEU", "GBR", "FRA"]


def test_same_bytes_again_are_the_same_file(lake: Lake) -> None:
    """Content names the file, so going back to an earlier content revives its file."""
    for code in ("USA", "DEU", "USA"):
        commit(lake, countries(code))
    assert seen(lake) == ["USA"]


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove"])
def test_damaged_file_is_refused_by_name(lake: Lake, damage: str) -> None:
    """Engines read some damaged files without a word; we do not."""
    commit(lake, countries("USA", "DEU"))
    path = lake.files("land/countries")[0].path
    content = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        content[len(content) // 3] ^= 1
        path.write_bytes({"flip": content, "truncate": content[:-7], "empty": b""}[damage])
    with pytest.raises(LakeError, match=str(path.name)):
        seen(lake)


def test_a_query_over_a_damaged_file_says_how_to_mend_it(lake: Lake) -> None:
    """Whoever asks: a command, or a step of a run in Dagster, which shows the error's own words."""
    commit(lake, countries(*(f"{n:03}" for n in range(500))))
    path = lake.files("land/countries")[0].path
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"x" * (size // 4))
    with pytest.raises(LakeError, match=r"^the tables cannot be read: .* `tollbook verify --repair` makes"):
        lake.query("select * from land.countries")


def test_sweep_removes_strays_and_old_replaced_files_only(lake: Lake) -> None:
    """What was replaced stays a day for readers that began before; strays and older ones go."""
    commit(lake, countries("USA"))
    commit(lake, countries("DEU"))
    stray = lake.stage("land/countries", "stray", countries("GBR")).path
    lake.sweep(NOW + timedelta(hours=23))
    after_hours = sorted(p.name.split(".")[0] for p in lake.layout.files.rglob("*.parquet"))
    lake.sweep(NOW + timedelta(hours=25))
    after_day = [p.name.split(".")[0] for p in lake.layout.files.rglob("*.parquet")]
    assert (stray.exists(), after_hours, after_day, seen(lake)) == (False, ["all", "all"], ["all"], ["DEU"])


def test_lake_folder_shows_only_live_files(lake: Lake) -> None:
    """A glob over lake/ reads just what is committed."""
    commit(lake, countries("USA"))
    commit(lake, countries("DEU"))
    lake.publish(NOW)
    shown = pl.read_parquet(lake.layout.lake / "land" / "countries" / "*.parquet")
    assert shown["iso_3166_alpha_3"].to_list() == ["DEU"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(lambda name: None, {}, id="the same file"),
        pytest.param(copied, {}, id="a copy of it"),
        pytest.param(lambda name: name.unlink(), {"all": "missing"}, id="missing"),
        pytest.param(lambda name: copied(name, flip=True), {"all": "not what was committed"}, id="rotten"),
        pytest.param(
            lambda name: name.with_name("old.parquet").write_bytes(name.read_bytes()),
            {"old": "left over: no commit has it"},
            id="left over",
        ),
    ],
)
def test_what_lake_shows_is_what_is_committed(lake: Lake, harm: Callable, said: dict[str, str]) -> None:
    """Analysts read it, and a copied home has copies there instead of second names."""
    commit(lake, countries("USA"))
    lake.sweep(NOW)
    (file,) = lake.files("land/countries")
    name = lake.layout.shown(file.table, file.label, file.sha256)
    harm(name)
    assert {path.name.split(".")[0]: why for path, why in misshown(lake).items()} == said
    show_anew(lake, NOW)
    assert misshown(lake) == {}
    assert name.read_bytes() == file.path.read_bytes()


def test_catalog_has_every_table_and_reads_while_it_is_replaced(lake: Lake) -> None:
    """The published DuckDB file works from any folder and never blocks the pipeline."""
    commit(lake, countries("USA"))
    lake.publish(NOW)
    with duckdb.connect(str(lake.layout.catalog), read_only=True) as reader:
        commit(lake, countries("DEU"), at=NOW + timedelta(minutes=1))
        lake.publish(NOW + timedelta(minutes=1))
        old = reader.execute("select iso_3166_alpha_3 from land.countries").fetchall()
        tables = {
            row[0]
            for row in reader.execute("select schema_name || '/' || view_name from duckdb_views()").fetchall()
        }
    with duckdb.connect(str(lake.layout.catalog), read_only=True) as reader:
        new = reader.execute("select iso_3166_alpha_3 from land.countries").fetchall()
    assert (old, new) == ([("USA",)], [("DEU",)])
    assert {t.name for t in TABLES} <= tables


def test_publishing_again_without_change_touches_nothing(lake: Lake) -> None:
    """An hourly run with nothing new changes no file."""
    commit(lake, countries("USA"))
    lake.publish(NOW)
    before = lake.layout.catalog.stat().st_mtime_ns
    lake.publish(NOW + timedelta(hours=1))
    assert lake.layout.catalog.stat().st_mtime_ns == before


def test_every_key_is_a_column_of_its_table() -> None:
    """The grain is said in columns that exist."""
    assert [t.name for t in TABLES if not set(t.key) <= set(t.schema.names)] == []


@pytest.mark.parametrize(
    "attack",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy (select 1) to '/tmp/x.csv'",
        "copy (select 1) to 'files/x.parquet'",
        "explain analyze copy (select 1) to 'files/x.parquet'",
        "attach '/tmp/x.duckdb' as x",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "export database '/tmp/x'",
        "prepare p as copy (select 1) to 'files/x.parquet'",
        "select getenv('HOME')",
        "select * from glob('/etc/*')",
        "select 1; copy (select 1) to 'files/x.parquet'",
    ],
    ids=lambda a: a[:40],
)
def test_questions_cannot_leave_the_lake(lake: Lake, attack: str) -> None:
    """Whoever may ask may read the lake and nothing else."""
    commit(lake, countries("USA"))
    with lake.ask() as ask, pytest.raises(QueryError):
        ask(attack)


def test_questions_read_every_table(lake: Lake) -> None:
    """Answers carry columns, rows and which columns hold numbers."""
    commit(lake, countries("USA"))
    with lake.ask() as ask:
        answer = ask("select iso_3166_alpha_3 as code, count(*) as n from land.countries group by all")
    assert (answer.columns, answer.rows, answer.numeric) == (["code", "n"], [("USA", 1)], ["n"])


def test_views_are_made_when_they_are_named(lake: Lake) -> None:
    """With those that they read, under any spelling, and not before."""
    made = "select count(*) from duckdb_views() where not internal"
    with lake.duck() as con:
        assert con.execute(made).fetchall() == [(0,)]
        con.execute('select count(*) from "Land" . "countries"')
        assert con.execute(made).fetchall() == [(2,)]
        [here] = con.execute("select current_catalog()").fetchall()[0]
        con.sql(f"select count(*) from {here}.land.calls")
        assert con.execute(made).fetchall() == [(3,)]
        con.ensure_all()
        assert con.execute(made).fetchall()[0][0] > len(TABLES)


def test_a_view_that_does_not_work_is_an_error_for_who_needs_it(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline must not go on without it."""
    broken = tmp_path / "broken.sql"
    broken.write_text("select no_such_column from land.countries")
    monkeypatch.setattr(views, "shipped_files", lambda folder: [broken] if folder == "measure" else [])
    with pytest.raises(duckdb.Error, match="no_such_column"):
        lake.query("select * from measure.broken")
    assert lake.query("select count(*) as n from land.countries") == [{"n": 0}]


def test_files_that_duckdb_wrote_are_read_beside_ours(lake: Lake) -> None:
    """Their instants are kept to the microsecond; neither engine minds, and no file is opened for its columns alone."""
    commit(lake, countries("USA"))
    with lake.duck() as con:
        asked = "select * replace ('DEU' as iso_3166_alpha_3) from land.countries_history"
        staged = lake.stage_query(con, "land/countries", "other", asked)
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")
    paths = [file.path for file in lake.files("land/countries")]

    assert sorted(seen(lake)) == ["DEU", "USA"]
    assert lake.scan("land/countries").collect()["valid_from"].unique().to_list() == [NOW]
    assert "union_by_name" not in views.over(BY_NAME["land/countries"], paths)
