"""What every table, view and column means, for ``describe``, the catalogue and the pages of documentation.

Said once: a table's columns in ``tables``, what a view is for in the head of its file, and its columns there too,
as ``--   name: meaning`` below ``-- columns:``. A column that is not named there has the meaning it has in the tables
that the view reads, or else that in ``WORDS``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.lake.duck import Duck
from pipeline.lake.tables import BY_NAME, TABLES
from pipeline.lake.views import Definition
from pipeline.lake.words import WORDS

# A file opens with ``-- purpose: ...`` or with its own name in that place.
_HEADED = re.compile(r"-- (purpose|grain|reads|columns|[a-z]+[./][a-z_]+): *(.*)", re.IGNORECASE)
_COLUMN = re.compile(r"--   (\w+): *(.*)")


@dataclass(frozen=True, slots=True)
class Head:
    """What the first lines of a query say: purpose, grain, the tables read (as ``stage.name``) and its columns."""

    purpose: str
    grain: str
    reads: tuple[str, ...]
    columns: dict[str, str]


def head_of(file: Path) -> Head:
    """The head of a query's file."""
    said: dict[str, str] = {}
    columns: dict[str, str] = {}
    last = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        if headed := _HEADED.match(line):
            last = headed[1].lower() if headed[1].isalpha() else "purpose"
            said[last] = headed[2]
        elif last == "columns" and (column := _COLUMN.match(line)):
            columns[column[1]] = column[2]
        elif last == "columns" and columns and line.startswith("--     "):
            columns[list(columns)[-1]] += f" {line[2:].strip()}"
        elif last and line.startswith("--   "):
            said[last] += f" {line[2:].strip()}"
        else:
            last = ""
    reads = re.findall(r"\b[a-z]+\.[a-z_0-9]+\b", said.get("reads", ""))
    purpose, grain = (said.get(key, "").rstrip(".") for key in ("purpose", "grain"))
    return Head(purpose, grain, tuple(reads), columns)


def comments(con: duckdb.DuckDBPyConnection | Duck, made: list[Definition]) -> list[str]:
    """The statements that put the meanings to the views and columns that a connection has, but to nobody's own."""
    files = {each.name: each.file for each in made if each.file}
    views = con.execute(
        "select schema_name || '.' || view_name from duckdb_views() where not internal"
    ).fetchall()
    columns = con.execute("""
        select schema_name || '.' || table_name, column_name
        from duckdb_columns() where not internal
        order by all
    """).fetchall()
    heads = {name: head_of(file) for name, file in files.items()}
    ours = sorted(name for (name,) in views if name in heads or _table(name) in BY_NAME)
    return [
        *(f"comment on view {name} is {_literal(_purpose(name, heads))}" for name in ours),
        *(
            f'comment on column {name}."{column}" is {_literal(meaning)}'
            for name, column in columns
            if name in ours and (meaning := _meaning(name, column, heads))
        ),
    ]


def _purpose(name: str, heads: dict[str, Head]) -> str:
    if name in heads:
        return f"{heads[name].purpose}; {heads[name].grain}"
    table = BY_NAME[_table(name)]
    if name.endswith("_history") and table.current:
        return f"{table.grain}; everything that was ever so"
    return table.grain


def _table(name: str) -> str:
    bare = name.replace(".", "/", 1)
    return bare if bare in BY_NAME else bare.removesuffix("_history")


def _meaning(name: str, column: str, heads: dict[str, Head]) -> str | None:
    if name not in heads:
        return _said_of(_table(name), column)
    head = heads[name]
    if column in head.columns:
        return head.columns[column]
    said = (_meaning(read, column, heads) for read in head.reads if read in heads or _table(read) in BY_NAME)
    return next(filter(None, said), None) or WORDS.get(column) or _said_anywhere(column)


def _said_of(table: str, column: str) -> str | None:
    return next((said for name, _, said in BY_NAME[table].columns if name == column), None)


def _said_anywhere(column: str) -> str | None:
    return next(filter(None, (_said_of(table.name, column) for table in TABLES)), None)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
