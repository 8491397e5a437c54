"""A DuckDB connection over the lake: it makes the views that a query names when they are first named.

There are over a hundred views, and DuckDB reads each through to its files when it is made; most connections are asked
about three of them.
"""

import atexit
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.lake.disk import quoted
from pipeline.lake.tables import STAGES
from pipeline.lake.views import Definition, create

# What DuckDB raises where it cannot read a file; a mistake in a query of ours is another kind, and shows its traceback.
_UNREADABLE = (duckdb.Error, duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)
_NAMED = re.compile(rf'\b({"|".join(STAGES)})"?\s*\.\s*"?(\w+)', re.IGNORECASE)
_REMARK = re.compile(r"^\s*--.*$", re.MULTILINE)
# A database that holds more after its work, footers of large files for example, is not kept.
_HELD = "select sum(memory_usage_bytes)::bigint from duckdb_memory()"
_LITTLE = 1 << 20


class Duck:
    """A connection of DuckDB's.

    A view that does not work is an error for who names it; where ``lenient``, it is left out and told in ``broken``.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, wanted: list[Definition]) -> None:
        self.lenient = False
        self.broken: dict[str, str] = {}
        self._con = con
        self._waiting = {each.name: each for each in wanted}

    def execute(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Runs a query."""
        self.ensure(query)
        return self._con.execute(query, parameters)

    def sql(self, query: str, **more: Any) -> duckdb.DuckDBPyRelation:
        """Runs a query, as a relation."""
        self.ensure(query)
        return self._con.sql(query, **more)

    def ensure(self, query: str) -> None:
        """Makes the views that a query names, and those that they name."""
        for stage, name in _NAMED.findall(_REMARK.sub("", query)):
            found = self._waiting.pop(f"{stage}.{name}".lower(), None)
            if found is not None:
                self._make(found)

    def ensure_all(self) -> None:
        """Makes every view."""
        while self._waiting:
            self._make(self._waiting.pop(next(iter(self._waiting))))

    def _make(self, each: Definition) -> None:
        self.ensure(each.statement)
        if self.lenient:
            self.broken |= create(self._con, [each])
        else:
            self._con.execute(each.statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


# What has done its work and can do other: starting one takes longer than most questions to it.
_idle: list[duckdb.DuckDBPyConnection] = []
_uses = count(1)


@contextmanager
def opened(
    memory_limit: str, staging: Path, wanted: list[Definition], *, apart: bool = False
) -> Iterator[Duck]:
    """A connection in memory; it spills into the staging folder, and into no other.

    Its database is nobody else's meanwhile. Afterwards it serves another, which finds nothing of this use, for tables
    and views lie in a catalogue of the use; ``apart``, it serves nobody else, before or after, and all may be changed.

    Raises:
        LakeError: within it, a file of the lake could not be read.
    """
    staging.mkdir(parents=True, exist_ok=True)
    spill = staging / "spill"
    database = _started() if apart else _at_hand()
    con = database.cursor()
    try:
        con.execute(f"set memory_limit = '{memory_limit}'")
        con.execute(f"set temp_directory = '{quoted(spill)}'")
        con.execute("set timezone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        own = "memory" if apart else f"use_{next(_uses)}"
        if not apart:
            con.execute(f"attach ':memory:' as {own}")
            con.execute(f"use {own}")
        made = Duck(con, [each for each in wanted if "." in each.name])
        create(con, [each for each in wanted if "." not in each.name])
        yield made
        if not apart:
            con.execute("use memory")
            con.execute(f"detach {own}")
            con.close()
            if not spill.exists() and database.execute(_HELD).fetchall() < [(_LITTLE,)]:
                _idle.append(database)
    except duckdb.Error as error:
        if type(error) not in _UNREADABLE:
            raise
        raise LakeError(_told(error)) from error
    finally:
        con.close()


def _at_hand() -> duckdb.DuckDBPyConnection:
    try:
        return _idle.pop()
    except IndexError:
        return _started()


def _started() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "2"})
    con.execute("set preserve_insertion_order = true")
    con.execute("set parquet_metadata_cache = true")
    return con


# A forked process takes no threads along: it could not even end a database that it has inherited.
os.register_at_fork(before=_idle.clear)
atexit.register(_idle.clear)


def _told(error: duckdb.Error) -> str:
    """What happened and what to do, where DuckDB cannot read a file of the lake."""
    text = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    if "verify --repair" in text:
        return f"{text}."
    return (
        f"the tables cannot be read: {text}. `tollbook verify` says which file is damaged, and `tollbook verify "
        "--repair` makes or pulls it again."
    )


def give_back(con: Any, memory_limit: str) -> None:
    """Hands memory that earlier queries needed back to the system, so that what is held does not depend on them.

    DuckDB does so whenever it is told its limit; it refuses where others are at the limit just then.
    """
    with suppress(duckdb.Error):
        con.execute(f"set memory_limit = '{memory_limit}'")


def rows_table(rows: Sequence[tuple], schema: pa.Schema) -> pa.Table:
    """Rows as a table of these columns, which a connection can be given under a name; also of no rows."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
