"""Reads, stages and commits the files of the lake.

A table is a list of files in the ledger, never a folder. Staging writes a file completely and durably (temporary
name, fsync, rename, fsync of the folder) where nobody looks; one ledger transaction then makes any number of staged
files visible together with whatever else belongs to the same step (a bookmark, an invoice). Killed in between, the
file is a stray that no row names, and ``sweep`` removes it. Every read checks size and SHA-256 first: engines read a
damaged Parquet file without a word.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl
import pyarrow as pa
from sqlalchemy import Connection, select

from pipeline.errors import LakeError
from pipeline.lake import catalog, duck, parquet, questions, views
from pipeline.lake.disk import fsync, link, parquets, prune, quoted, sha256_of
from pipeline.lake.duck import Duck
from pipeline.lake.layout import Layout, whole
from pipeline.lake.questions import Answer, Questions
from pipeline.lake.tables import BY_NAME, TABLES, Table
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import commits
from pipeline.ledger.schema import files as files_table

KEEP_REPLACED = timedelta(days=1)
_TOGETHER = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One committed file. ``inputs`` is the fingerprint of what it was made from, where its stage keeps one."""

    table: str
    label: str
    path: Path
    rows: int
    bytes: int
    sha256: str
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class Staged(DataFile):
    """A file that is written and durable, but that no commit names yet."""


@dataclass(slots=True)
class Lake:
    """The lake of one home."""

    home: Path
    ledger: Ledger
    memory_limit: str = "512MB"
    _verified: dict[Path, tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def layout(self) -> Layout:
        return Layout(self.home)

    # Reading

    def files(self, table: str, labels: Iterable[str] | None = None) -> list[DataFile]:
        """The live files of a table, ordered by label; the label of a day finds all its parts."""
        wanted = None if labels is None else set(labels)
        with self.ledger.read() as tx:
            rows = _live(tx, table)
        found = [self._file(row) for row in rows]
        return [f for f in found if wanted is None or f.label in wanted or whole(f.label) in wanted]

    def scan(self, table: str, labels: Iterable[str] | None = None) -> pl.LazyFrame:
        """A typed LazyFrame over the live files; typed and empty where there are none."""
        return self.scan_files(table, self.files(table, labels))

    def scan_files(self, table: str, files: Iterable[DataFile]) -> pl.LazyFrame:
        """A typed LazyFrame over these files of a table alone."""
        found = [self.verify(f).path for f in files]
        if not found:
            return _empty(table).lazy()
        # A file from before a column was added has it as null; one from before a column was dropped has it still.
        how: dict[str, Any] = {"schema": _empty(table).schema, "missing_columns": "insert"}
        how["extra_columns"] = "ignore"
        # DuckDB writes instants of milliseconds as microseconds.
        how["cast_options"] = pl.ScanCastOptions(datetime_cast="microsecond-downcast")
        return pl.scan_parquet(found, glob=False, hive_partitioning=False, **how)

    @contextmanager
    def duck(self, *, apart: bool = False) -> Iterator[Duck]:
        """An in-memory DuckDB that sees every table as a view, and may write only to the staging folder.

        Whoever changes more than a connection's own (threads, functions, locks) takes one ``apart`` from all others.
        """
        wanted = views.definitions(self._paths())
        with duck.opened(self.memory_limit, self.layout.staging, wanted, apart=apart) as con:
            yield con

    def query(self, sql: str, params: object = None) -> list[dict[str, Any]]:
        """The rows of one query as dicts."""
        with self.duck() as con:
            done = con.execute(sql, params) if params else con.execute(sql)
            names = [column[0] for column in done.description]
            return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    @contextmanager
    def ask(self) -> Iterator[Questions]:
        """For questions from outside: reads the lake and nothing else, and can change no setting."""
        with self.duck(apart=True) as con:
            con.lenient = True
            for statement in catalog.macros():
                con.execute(statement)
            yield questions.locked(con, self.layout.files.resolve(), lambda: catalog.comments(con))

    def verify(self, file: DataFile) -> DataFile:
        """Checks that a file is what its commit says; remembers the answer while its size and time stand still.

        Raises:
            LakeError: it is missing or damaged; the message names it.
        """
        try:
            stat = file.path.stat()
        except OSError:
            msg = f"{file.path} is missing. Run `tollbook verify --repair`: it is made or pulled again."
            raise LakeError(msg) from None
        mark = (stat.st_mtime_ns, stat.st_size)
        if self._verified.get(file.path) == mark:
            return file
        if stat.st_size != file.bytes or sha256_of(file.path) != file.sha256:
            msg = f"{file.path} is damaged. Run `tollbook verify --repair`: it is set aside and made or pulled again."
            raise LakeError(msg)
        self._verified[file.path] = mark
        return file

    def pieces(self, file: DataFile) -> Iterator[pa.Table]:
        """The rows of a file, a row group at a time."""
        return parquet.pieces(self.verify(file).path, BY_NAME[file.table])

    def coded(
        self, file: DataFile, columns: Sequence[str], begun_before: datetime | None = None
    ) -> Iterator[pa.Table]:
        """Columns of a file, in pieces in which a text is a place in a dictionary; see ``parquet.coded``."""
        return parquet.coded(self.verify(file).path, BY_NAME[file.table], columns, begun_before)

    def greatest(self, file: DataFile, column: str) -> Any:
        """The greatest value of a column of a file, as its statistics say."""
        return parquet.greatest(self.verify(file).path, column)

    # Writing

    def stage_pieces(self, table: str, label: str, pieces: Iterable[pa.Table], inputs: str = "") -> Staged:
        """Writes a file as ``stage`` does, from pieces in the order given; no more of them than a row group is held."""
        spec = BY_NAME[table]
        return self._write(spec, label, inputs, lambda path: parquet.write_pieces(path, pieces, spec))

    def stage(self, table: str, label: str, frame: pl.DataFrame | pa.Table, inputs: str = "") -> Staged:
        """Writes a file durably, in the order given; it is not visible before ``commit``."""
        spec = BY_NAME[table]
        arrow = frame.to_arrow() if isinstance(frame, pl.DataFrame) else frame
        return self._write(spec, label, inputs, lambda path: parquet.write(path, arrow, spec))

    def give_back(self, con: Duck) -> None:
        """Hands memory that earlier queries of a connection needed back to the system."""
        duck.give_back(con, self.memory_limit)

    def stage_query(
        self,
        con: Duck,
        table: str,
        label: str,
        sql: str,
        params: Sequence[object] | None = None,
        inputs: str = "",
    ) -> Staged:
        """Writes the result of a query as a file; its columns must be the table's, in any order."""
        spec = BY_NAME[table]
        names = ", ".join(f'"{name}"' for name, _, _ in spec.columns)

        def write(path: Path) -> int:
            target = f"copy (select {names} from ({sql})) to '{quoted(path)}'"
            options = f"(format parquet, compression zstd, row_group_size {parquet.STREAMED})"
            rows: int = con.execute(f"{target} {options}", params or []).fetchall()[0][0]
            parquet.check_types(path, spec)
            return rows

        return self._write(spec, label, inputs, write)

    def stage_found(self, con: Duck, label: str, queries: Mapping[str, str]) -> list[Staged]:
        """Writes the results of queries, by table, as files of one label: of those that find a row."""
        return [
            self.stage_query(con, table, label, query)
            for table, query in queries.items()
            if con.execute(f"select 1 from ({query}) limit 1").fetchall()
        ]

    def commit(
        self,
        tx: Connection,
        staged: Iterable[Staged],
        *,
        at: datetime,
        stage: str,
        note: str = "",
        remove: Iterable[tuple[str, str]] = (),
    ) -> int:
        """Makes staged files live within ``tx``, in place of what had the same table and label; returns the commit.

        The names under ``lake/`` follow when the next ``sweep`` or ``publish`` finds the commit done.
        """
        staged = list(staged)
        gone = {(s.table, s.label) for s in staged} | set(remove)
        entered = tx.execute(commits.insert(), {"at": at, "stage": stage, "note": note}).inserted_primary_key
        assert entered is not None
        commit_id: int = entered[0]
        for table in sorted({table for table, _ in gone}):
            labels = sorted(label for of, label in gone if of == table)
            for some in _some(labels):
                tx.execute(
                    files_table.update()
                    .where(files_table.c.table_name == table, files_table.c.label.in_(some))
                    .where(files_table.c.dead_commit_id.is_(None))
                    .values(dead_commit_id=commit_id, dead_at=at)
                )
        for files in _some(staged):
            self._enter(tx, files, commit_id)
        return commit_id

    def _enter(self, tx: Connection, staged: Sequence[Staged], commit_id: int) -> None:
        paths = {s.path.relative_to(self.home).as_posix(): s for s in staged}
        columns = files_table.c
        known = tx.execute(select(columns.path, columns.file_id).where(columns.path.in_(paths))).all()
        for path, file_id in known:
            # The same bytes as an earlier file of this label: that file lives again.
            tx.execute(
                files_table.update()
                .where(columns.file_id == file_id)
                .values(dead_commit_id=None, dead_at=None, commit_id=commit_id, inputs=paths.pop(path).inputs)
            )
        rows = [
            {"table_name": s.table, "label": s.label, "path": path, "rows": s.rows, "bytes": s.bytes}
            | {"sha256": s.sha256, "inputs": s.inputs, "commit_id": commit_id}
            for path, s in paths.items()
        ]
        if rows:
            tx.execute(files_table.insert(), rows)

    # Keeping house

    def publish(self, now: datetime) -> None:
        """Brings ``lake/``, ``tollbook.duckdb`` and ``sql/init.sql`` up to the last commit."""
        self.sweep(now)
        catalog.publish(self._paths(), self.layout.catalog, self.layout.init_sql, self.layout.staging)

    def sweep(self, now: datetime) -> None:
        """Removes strays and what was replaced over a day ago; renews the names under ``lake/``."""
        with self.ledger.read() as tx:
            known = tx.execute(
                select(files_table.c.table_name, files_table.c.label, files_table.c.path).add_columns(
                    files_table.c.sha256, files_table.c.dead_at
                )
            ).all()
        live = {self.home / r.path: r for r in known if r.dead_at is None}
        kept = {self.home / r.path for r in known if r.dead_at and r.dead_at > now - KEEP_REPLACED}
        for path in parquets(self.layout.files):
            if path not in live and path not in kept:
                path.unlink(missing_ok=True)
        shown = {self.layout.shown(r.table_name, r.label, r.sha256): path for path, r in live.items()}
        for path in parquets(self.layout.lake):
            if path not in shown:
                path.unlink(missing_ok=True)
                prune(path.parent, self.layout.lake)
        for name, path in shown.items():
            if not name.exists() and path.exists():
                link(path, name)

    # Inside

    def _paths(self) -> dict[str, list[Path]]:
        with self.ledger.read() as tx:
            rows = _live(tx, None)
        home, paths = self.home.resolve(), dict[str, list[Path]]()
        for row in rows:
            paths.setdefault(row.table_name, []).append(home / row.path)
        return paths

    def _file(self, row: object) -> DataFile:
        r = row
        return DataFile(r.table_name, r.label, self.home / r.path, r.rows, r.bytes, r.sha256, r.inputs)  # type: ignore[attr-defined]

    def _write(self, spec: Table, label: str, inputs: str, write: Callable[[Path], int]) -> Staged:
        staging = self.layout.staging
        staging.mkdir(parents=True, exist_ok=True)
        temporary = staging / f"{uuid.uuid4().hex}.parquet"
        mode = 0o600 if spec.private else 0o666
        try:
            temporary.touch(mode)
            rows = write(temporary)
            if spec.private:
                temporary.chmod(mode)
            fsync(temporary)
            sha = sha256_of(temporary)
            path = self.layout.stored(spec.name, label, sha)
            path.parent.mkdir(parents=True, exist_ok=True)
            size = temporary.stat().st_size
            temporary.replace(path)
            fsync(path.parent)
        except (OSError, duckdb.IOException) as error:
            msg = (
                f"cannot write to {self.home}: {getattr(error, 'strerror', None) or error}. "
                "Nothing was committed; make room or give permission, and run again."
            )
            raise LakeError(msg) from error
        finally:
            temporary.unlink(missing_ok=True)
        return Staged(spec.name, label, path, rows, size, sha, inputs)


def _some(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at once as one statement of the ledger may name."""
    return (many[start : start + _TOGETHER] for start in range(0, len(many), _TOGETHER))


@cache
def _empty(table: str) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(BY_NAME[table].schema.empty_table()))


def _live(tx: Connection, table: str | None) -> list:
    query = select(files_table).where(files_table.c.dead_commit_id.is_(None))
    if table is not None:
        query = query.where(files_table.c.table_name == table)
    return list(tx.execute(query.order_by(files_table.c.table_name, files_table.c.label)))


__all__ = ["TABLES", "Answer", "DataFile", "Lake", "Staged"]
