"""The lake as SQL: a schema per stage, a view per table, and the views of ``sql/``.

A table's view names its committed files, by absolute path, and always has the table's columns, whatever an older
tollbook wrote. A file ``sql/<stage>/<name>.sql`` that is not a table of the lake is a view of that name; views may use
one another in the order of the stages, then of their names. One that does not work is left out and named, with those
that need it: somebody's slip in one file must not keep all others from answering.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

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


@dataclass(frozen=True, slots=True)
class Definition:
    """A view or schema by name, and the statement that makes it; ``file`` is the one under ``sql/`` that says how."""

    name: str
    statement: str
    file: Path | None = None


def definitions(paths: dict[str, list[Path]]) -> list[Definition]:
    """All that makes every schema and view, given each table's files."""
    made = schemas()
    for table in TABLES:
        made += table_views(table, over(table, paths.get(table.name, [])))
    return made + sql_views()


def create(con: duckdb.DuckDBPyConnection, wanted: Iterable[Definition]) -> dict[str, str]:
    """Makes them; returns what is wrong with those of ``sql/`` that do not work, by name."""
    broken: dict[str, str] = {}
    for each in wanted:
        try:
            con.execute(each.statement)
        except duckdb.Error as error:
            if each.file is None:
                raise
            broken[each.name] = f"{each.file}: {error}"
    return broken


def sql_text(table: str) -> str:
    """The shipped query of a table, for example ``sql_text("rate/calls")``."""
    return shipped("sql", f"{table}.sql").read_text(encoding="utf-8")


def schemas() -> list[Definition]:
    """A schema per stage."""
    return [Definition(stage, f"create schema if not exists {stage}") for stage in STAGES]


def table_views(table: Table, source: str) -> list[Definition]:
    """The view of a table whose rows ``source`` selects; of one that keeps history, that and the rows of today."""
    name = f"{table.stage}.{table.short}"
    if table.current is None:
        return [_view(name, source)]
    return [
        _view(f"{name}_history", source),
        _view(name, f"select * from {name}_history where {table.current}"),
    ]


def over(table: Table, paths: list[Path]) -> str:
    """The query that reads a table's files."""
    if not paths:
        return f"select {_nulls(table)} where false"
    try:
        found = {_columns(path) for path in paths}
    except (OSError, pa.ArrowInvalid):
        return _refusing(table, paths)
    names = ", ".join(f"'{quoted(path)}'" for path in paths)
    if found == {_typed(table)}:
        return f"select * from read_parquet([{names}], hive_partitioning = false)"
    # Files of an older tollbook have other columns. United by name, DuckDB opens every one of them, each time.
    present = {name for columns in found for name, _ in columns}
    chosen = ", ".join(
        f'"{name}"' if name in present else f'null::{_duck_type(kind)} as "{name}"'
        for name, kind, _ in table.columns
    )
    return f"select {chosen} from read_parquet([{names}], hive_partitioning = false, union_by_name = true)"


def sql_views() -> list[Definition]:
    """The views of ``sql/``."""
    made = []
    for stage in STAGES:
        found = [p for p in shipped_files(stage) if f"{stage}/{p.stem}" not in BY_NAME]
        made += [_view(f"{stage}.{p.stem}", f"\n{_body(p)}", p) for p in found]
    return made


def shipped_files(folder: str) -> list[Path]:
    """The queries in a folder of ``sql/``, by name."""
    found = shipped("sql", folder)
    return sorted(found.glob("*.sql")) if found.is_dir() else []


def _view(name: str, query: str, file: Path | None = None) -> Definition:
    return Definition(name, f"create or replace view {name} as {query}", file)


def _refusing(table: Table, paths: list[Path]) -> str:
    """A file is missing or damaged: whoever reads this table is told, and nobody else.

    Every column is the error too: of columns that are null DuckDB knows beforehand that no filter lets them through,
    and answers with no rows instead.
    """
    bad = next(path for path in paths if not _readable(path))
    said = f"{bad} is missing or damaged. Run `tollbook verify --repair`: it is made or pulled again."
    error = f"error('{quoted(said)}')"
    columns = ", ".join(f'{error}::{_duck_type(kind)} as "{name}"' for name, kind, _ in table.columns)
    return f"select {columns} where {error} is null"


def _readable(path: Path) -> bool:
    try:
        _columns(path)
    except (OSError, pa.ArrowInvalid):
        return False
    return True


@cache
def _columns(path: Path) -> tuple[tuple[str, str], ...]:
    """A data file's columns and what DuckDB reads them as; it never changes."""
    return tuple((column.name, _duck_type(column.type)) for column in pq.read_schema(path))


@cache
def _typed(table: Table) -> tuple[tuple[str, str], ...]:
    return tuple((name, _duck_type(kind)) for name, kind, _ in table.columns)


@cache
def _nulls(table: Table) -> str:
    return ", ".join(f'null::{_duck_type(kind)} as "{name}"' for name, kind, _ in table.columns)


def _duck_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    return _TYPES.get(kind, str(kind))


@cache
def _body(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip().rstrip(";")
