"""The lake as SQL: a schema per stage, a view per table, and the views of ``sql/``.

A table's view names its committed files, by absolute path. A file ``sql/<stage>/<name>.sql`` that is not a table of
the lake is a view of that name; views may use one another in the order of the stages, then of their names.
"""

import os
import uuid
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LakeError
from pipeline.lake.disk import quoted
from pipeline.lake.tables import BY_NAME, STAGES, TABLES, Table
from pipeline.shipped import shipped

_TYPES = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.binary(): "BLOB",
}


def definitions(paths: dict[str, list[Path]]) -> list[str]:
    """The statements that make every schema and view, given each table's files."""
    made = [f"create schema if not exists {stage}" for stage in STAGES]
    for table in TABLES:
        made += _table_views(table, paths.get(table.name, []))
    return made + [statement for stage in STAGES for statement in _sql_views(stage)]


def write_catalog(target: Path, staging: Path, statements: list[str]) -> None:
    """Writes a DuckDB file with these views beside ``target`` and puts it in its place at once.

    It is written in a storage version that DuckDB 1.x opens too.
    """
    staging.mkdir(parents=True, exist_ok=True)
    temporary = staging / f"{uuid.uuid4().hex}.duckdb"
    try:
        with duckdb.connect() as con:
            con.execute(f"attach '{quoted(temporary)}' as catalog (storage_version 'v1.0.0')")
            con.execute("use catalog")
            for statement in statements:
                con.execute(statement)
            con.execute("use memory")
            con.execute("detach catalog")
        os.replace(temporary, target)
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        msg = f"cannot write {target}: {error}. The tables are whole; make room or give permission, and run again."
        raise LakeError(msg) from error
    finally:
        for left in (temporary, temporary.with_suffix(".duckdb.wal")):
            left.unlink(missing_ok=True)


def sql_text(table: str) -> str:
    """The shipped query of a table, for example ``sql_text("rate/calls")``."""
    return shipped("sql", f"{table}.sql").read_text(encoding="utf-8")


def _table_views(table: Table, paths: list[Path]) -> list[str]:
    source = _over(paths) if paths else _empty(table)
    name = f"{table.stage}.{table.short}"
    if table.current is None:
        return [f"create or replace view {name} as {source}"]
    history = f"{name}_history"
    current = f"create or replace view {name} as select * from {history} where {table.current}"
    return [f"create or replace view {history} as {source}", current]


def _over(paths: list[Path]) -> str:
    names = ", ".join(f"'{quoted(path)}'" for path in paths)
    union = ", union_by_name = true" if _differ(paths) else ""
    return f"select * from read_parquet([{names}], hive_partitioning = false{union})"


def _differ(paths: list[Path]) -> bool:
    """Whether the files have different columns, as those of an older tollbook may.

    Only then they are united by name: for that DuckDB opens every file, again for every view that reads the table.
    """
    try:
        return len({_columns(path) for path in paths}) > 1
    except (OSError, pa.ArrowInvalid):
        return True  # a file is missing or damaged; whoever reads the view is told


@cache
def _columns(path: Path) -> tuple[tuple[str, str], ...]:
    """A data file's columns and types; it never changes."""
    return tuple((column.name, str(column.type)) for column in pq.read_schema(path))


def _empty(table: Table) -> str:
    columns = ", ".join(f'null::{_duck_type(kind)} as "{name}"' for name, kind, _ in table.columns)
    return f"select {columns} where false"


def _duck_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    return _TYPES[kind]


def _sql_views(stage: str) -> list[str]:
    folder = shipped("sql", stage)
    if not folder.is_dir():
        return []
    found = sorted(p for p in folder.glob("*.sql") if f"{stage}/{p.stem}" not in BY_NAME)
    return [f"create or replace view {stage}.{p.stem} as\n{_body(p)}" for p in found]


def _body(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip().rstrip(";")
