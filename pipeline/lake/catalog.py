"""``tollbook.duckdb`` and ``sql/init.sql``: the tables for everybody who does not go through tollbook.

The views of the catalogue, their comments and the macros belong to a release and stay; what changes with every commit
is which files a table has, and that is a macro of its own, ``files.land_calls()``. So bringing the catalogue up to a
commit is copying a small file and replacing some macros, and a reader that holds the old one open goes on reading it.
"""

import hashlib
import os
import shutil
import tempfile
import uuid
from functools import cache
from pathlib import Path

import duckdb

from pipeline.errors import LakeError
from pipeline.lake import meanings, views
from pipeline.lake.disk import quoted, replace_text
from pipeline.lake.duck import Duck
from pipeline.lake.tables import TABLES, Table
from pipeline.lake.words import WORDS

_FAILURES = (OSError, duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)
_HEAD = "-- Made by tollbook: views over the committed files. `duckdb -init sql/init.sql`\n"
_NAMES = "select schema_name || '.' || view_name from duckdb_views() where not internal"
_NOTHING: dict[str, list[Path]] = {}


def publish(paths: dict[str, list[Path]], catalog: Path, init_sql: Path, staging: Path) -> None:
    """Brings both up to these files of each table; writes nothing when they are.

    Raises:
        LakeError: there is no room or no permission.
    """
    lists = file_lists(paths)
    head = _HEAD + f"-- release {_stamp()}\n" + _script(["create schema if not exists files", *lists])
    if catalog.exists() and init_sql.exists() and init_sql.read_text(encoding="utf-8").startswith(head):
        return
    staging.mkdir(parents=True, exist_ok=True)
    temporary = staging / f"{uuid.uuid4().hex}.duckdb"
    try:
        if not _copied(catalog, temporary):
            temporary.write_bytes(_template())
        present = _completed(temporary, lists)
        os.replace(temporary, catalog)
        init_sql.parent.mkdir(parents=True, exist_ok=True)
        shown = [each.statement for each in _views() if each.name in present or each.file is None]
        replace_text(init_sql, head + _script([*shown, *macros()]))
    except _FAILURES as error:
        msg = f"cannot write {catalog}: {error}. The tables are whole; make room or give permission, and run again."
        raise LakeError(msg) from error
    finally:
        for left in (temporary, temporary.with_suffix(".duckdb.wal")):
            left.unlink(missing_ok=True)


def file_lists(paths: dict[str, list[Path]]) -> list[str]:
    """The statements that say which files each table has."""
    return [
        f"create or replace macro {_list_of(table)}() as table {views.over(table, paths.get(table.name, []))}"
        for table in TABLES
    ]


def macros() -> list[str]:
    """What ``sql/macros/`` adds to SQL."""
    return [path.read_text(encoding="utf-8").strip().rstrip(";") for path in views.shipped_files("macros")]


def comments(con: duckdb.DuckDBPyConnection | Duck) -> list[str]:
    """The comments on the views that a connection has."""
    return meanings.comments(con, views.sql_views())


def _list_of(table: Table) -> str:
    return f"files.{table.stage}_{table.short}"


@cache
def _views() -> list[views.Definition]:
    made = views.schemas()
    for table in TABLES:
        made += views.table_views(table, f"select * from {_list_of(table)}()")
    return made + views.sql_views()


@cache
def _stamp() -> str:
    """What the views, comments and macros of this release are, in short."""
    files = [each.file.read_text(encoding="utf-8") for each in _views() if each.file]
    said = [repr(TABLES), repr(sorted(WORDS.items())), *files, *macros(), duckdb.__version__]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


@cache
def _template() -> bytes:
    """A catalogue of no files. Its storage version is one that DuckDB 1.x opens too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.duckdb"
        with duckdb.connect() as con:
            con.execute(f"attach '{quoted(path)}' as catalog (storage_version 'v1.0.0')")
            con.execute("use catalog")
            con.execute("create schema files")
            for statement in file_lists(_NOTHING):
                con.execute(statement)
            views.create(con, _views())
            for statement in ("begin", *macros(), *comments(con), "commit"):
                con.execute(statement)
            con.execute(f"create view files.release as select '{_stamp()}' as stamp")
            con.execute("use memory")
            con.execute("detach catalog")
        return path.read_bytes()


def _copied(catalog: Path, temporary: Path) -> bool:
    """Takes the present catalogue to go on from; False where it is none of this release."""
    if not catalog.exists():
        return False
    shutil.copyfile(catalog, temporary)
    try:
        with duckdb.connect(temporary) as con:
            return con.execute("select stamp from files.release").fetchone() == (_stamp(),)
    except duckdb.Error:
        return False


def _completed(path: Path, lists: list[str]) -> set[str]:
    """Puts the file lists into a catalogue; returns the views it has."""
    with duckdb.connect() as con:
        con.execute(f"attach '{quoted(path)}' as catalog")
        con.execute("use catalog")
        con.execute("begin")
        for statement in lists:
            con.execute(statement)
        con.execute("commit")
        present = {name for (name,) in con.execute(_NAMES).fetchall()}
        con.execute("use memory")
        con.execute("detach catalog")
    return present


def _script(statements: list[str]) -> str:
    return "".join(f"{statement};\n" for statement in statements)
