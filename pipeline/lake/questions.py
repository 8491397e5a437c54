"""Questions from outside: any SQL that reads, over the lake and nothing else.

SQL is code: it could read other files, write some, or load more. The connection is shut first (no files but the
lake's, no settings), and only statements that ask or work in memory are taken.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.errors import QueryError
from pipeline.lake.disk import quoted


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns, rows, and the columns that hold numbers."""

    columns: list[str]
    rows: list[tuple]
    numeric: list[str]


def locked(con: duckdb.DuckDBPyConnection, allowed: Path) -> Callable[[str], Answer]:
    """Shuts a connection to all files but those under ``allowed``, and returns the way to ask it."""
    for lock in (
        "set python_enable_replacements = false",
        f"set allowed_directories = ['{quoted(allowed)}']",
        "set enable_external_access = false",
        "set lock_configuration = true",
    ):
        con.execute(lock)
    return lambda query: _answer(con, query)


def _answer(con: duckdb.DuckDBPyConnection, query: str) -> Answer:
    try:
        kinds = {s.type for s in con.extract_statements(query)}
        if not kinds:
            raise QueryError("there is no question. Ask one, for example: select count(*) from land.calls")
        if kinds - _READING or _EXPLAINS_A_WRITE.search(query):
            msg = "only questions can be asked here: the lake is written by the pipeline alone."
            raise QueryError(msg)
        done = con.execute(query)
        described = done.description or []
        rows = done.fetchall()
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    numeric = [c[0] for c in described if str(c[1]).startswith(_NUMERIC)]
    return Answer([c[0] for c in described], rows, numeric)


# What may be asked. COPY, ATTACH, EXPORT, LOAD and PREPARE are not here: they reach files.
_READING = {
    getattr(duckdb.StatementType, name)
    for name in (
        "SELECT",
        "PRAGMA",
        "CALL",
        "RELATION",
        "CREATE",
        "CREATE_FUNC",
        "DROP",
        "INSERT",
        "UPDATE",
        "DELETE",
    )
    + ("VARIABLE_SET", "EXPLAIN")
}
_EXPLAINS_A_WRITE = re.compile(
    r"\bexplain\b.*\b(copy|attach|export|install|load)\b", re.IGNORECASE | re.DOTALL
)
_NUMERIC = ("DECIMAL", "BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "NUMBER", "UBIGINT", "SMALLINT")
