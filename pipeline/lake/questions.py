"""Questions from outside: any SQL that reads, over the lake and nothing else.

SQL is code: it could read other files, write some, or load more. The connection is shut first (no files but the
lake's, no settings), and only statements that ask or work in memory are taken.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from pipeline.errors import QueryError
from pipeline.lake.disk import quoted
from pipeline.lake.duck import Duck

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns, rows, and the columns that hold numbers."""

    columns: list[str]
    rows: list[tuple]
    numeric: list[str]


@dataclass(slots=True)
class Questions:
    """A connection that is shut to all but the lake, and the way to ask it.

    Views are made when they are named, and comments attached when a question is about them: a thousand columns take
    a while.
    """

    _con: Duck
    _comments: Callable[[], list[str]]
    _said: set[str] = field(default_factory=set, init=False)

    def __call__(self, query: str) -> Answer:
        """Asks.

        Raises:
            QueryError: the query is wrong, or is none; the message is DuckDB's or says what can be asked.
        """
        return self._asked(query, self._answer)

    def table(self, query: str) -> pa.Table:
        """The answer with its types, for a file; errors are those of asking."""
        return self._asked(query, self._table)

    def _answer(self, query: str) -> Answer:
        done = self._con.execute(query)
        described = done.description or []
        numeric = [c[0] for c in described if str(c[1]).startswith(_NUMERIC)]
        return Answer([c[0] for c in described], done.fetchall(), numeric)

    def _table(self, query: str) -> pa.Table:
        return self._con.sql(query).to_arrow_table()

    def _asked(self, query: str, read: Callable[[str], T]) -> T:
        try:
            self._check(query)
            if _ABOUT_ALL.search(query):
                self._con.ensure_all()
            if _ABOUT_TABLES.search(query) or _LISTS.match(query):
                self._comment(query)
            return read(self._described(query))
        except duckdb.Error as error:
            raise QueryError(self._plainly(str(error))) from None

    @property
    def broken(self) -> dict[str, str]:
        """The views that do not work, as far as they have been named, and why."""
        return self._con.broken

    def _check(self, query: str) -> None:
        kinds = {s.type for s in self._con.extract_statements(query)}
        if not kinds:
            raise QueryError("there is no question. Ask one, for example: select count(*) from land.calls")
        if kinds - _READING or _EXPLAINS_A_WRITE.search(query):
            msg = (
                "only questions can be asked here: the lake is written by the pipeline alone. "
                "An answer goes to a file with `tollbook sql --out FILE`."
            )
            raise QueryError(msg)

    def _comment(self, query: str) -> None:
        self._con.ensure(query)
        self._con.execute("begin")
        for statement in self._comments():
            if statement not in self._said:
                self._con.execute(statement)
                self._said.add(statement)
        self._con.execute("commit")

    def _described(self, query: str) -> str:
        """``describe`` says what columns mean and ``show tables`` what tables do, which DuckDB's own do not."""
        if _LISTS.match(query):
            return _LIST
        described = _DESCRIBE.match(query)
        if described is None:
            return query
        name = ".".join(part.strip('"') for part in described[1].split("."))
        found = self._con.execute("select count(*) from columns_of($1)", [name]).fetchall()[0][0]
        return f"from columns_of('{name}')" if found else query

    def _plainly(self, message: str) -> str:
        """DuckDB's message; where the lock spoke or a view is left out, what that means."""
        if _LOCK_SPOKE.search(message):
            first = message.splitlines()[0]
            return f"{first}. Questions read the lake and nothing else: no other files, no extensions."
        left_out = [
            f"{name} is left out, its query does not work: {why}" for name, why in self.broken.items()
        ]
        return "\n".join([message, *left_out])


def locked(con: Duck, allowed: Path, comments: Callable[[], list[str]]) -> Questions:
    """Shuts a connection to all files but those under ``allowed``; ``comments`` gives the statements that make them."""
    for lock in (
        "set python_enable_replacements = false",
        f"set allowed_directories = ['{quoted(allowed)}']",
        "set enable_external_access = false",
        "set lock_configuration = true",
    ):
        con.execute(lock)
    return Questions(con, comments)


# What may be asked. COPY, ATTACH, EXPORT, LOAD and PREPARE are not here: they reach files. SET is for variables, since
# settings are locked; a PIVOT is several statements to DuckDB.
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
    + ("VARIABLE_SET", "SET", "EXPLAIN", "MULTI")
}
_EXPLAINS_A_WRITE = re.compile(
    r"\bexplain\b.*\b(copy|attach|export|install|load)\b", re.IGNORECASE | re.DOTALL
)
_ABOUT_ALL = re.compile(
    r"\b(show|pragma|duckdb_\w+|information_schema|pg_catalog|sqlite_master)\b", re.IGNORECASE
)
_ABOUT_TABLES = re.compile(r"\b(comment|describe|desc|columns_of|duckdb_\w+)\b", re.IGNORECASE)
_DESCRIBE = re.compile(r'\s*desc(?:ribe)?\s+("?\w+"?\."?\w+"?)\s*;?\s*\Z', re.IGNORECASE)
_LISTS = re.compile(r"\s*show\s+(?:all\s+)?tables\s*;?\s*\Z", re.IGNORECASE)
# Tables are what was made in this session; it has no schema but the usual one.
_LIST = """
select schema_name || '.' || view_name as name, comment as meaning from duckdb_views() where not internal
union all
select table_name, comment from duckdb_tables() where not internal
order by name
"""
_LOCK_SPOKE = re.compile(
    r"disabled (?:through|by)|Permission Error|configuration has been locked", re.IGNORECASE
)
_NUMERIC = ("DECIMAL", "BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "NUMBER", "UBIGINT", "SMALLINT")
