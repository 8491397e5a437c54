"""Reads, stages and commits the files of the lake.

A table is a list of files in the ledger, never a folder. Staging writes a file completely and durably (temporary
name, fsync, rename, fsync of the folder) where nobody looks; one ledger transaction then makes any number of staged
files visible together with whatever else belongs to the same step (a bookmark, an invoice). Killed in between, the
file is a stray that no row names, and ``sweep`` removes it. Every read checks size and SHA-256 first: engines read a
damaged Parquet file without a word.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
from sqlalchemy import Connection, select

from pipeline.errors import LakeError
from pipeline.lake import parquet, questions, views
from pipeline.lake.disk import fsync, link, parquets, prune, quoted, replace_text, sha256_of
from pipeline.lake.layout import Layout
from pipeline.lake.questions import Answer
from pipeline.lake.tables import BY_NAME, TABLES, Table
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import commits
from pipeline.ledger.schema import files as files_table

KEEP_REPLACED = timedelta(days=1)


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
        """The live files of a table, ordered by label."""
        wanted = None if labels is None else set(labels)
        with self.ledger.read() as tx:
            rows = _live(tx, table)
        found = [self._file(row) for row in rows]
        return [f for f in found if wanted is None or f.label in wanted]

    def scan(self, table: str, labels: Iterable[str] | None = None) -> pl.LazyFrame:
        """A typed LazyFrame over the live files; typed and empty where there are none."""
        found = [self.verify(f).path for f in self.files(table, labels)]
        if not found:
            return _empty(table).lazy()
        # A file from before a column was added has it as null; one from before a column was dropped has it still.
        how: dict[str, Any] = {"schema": _empty(table).schema, "missing_columns": "insert"}
        how["extra_columns"] = "ignore"
        return pl.scan_parquet(found, glob=False, hive_partitioning=False, **how)

    @contextmanager
    def duck(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An in-memory DuckDB that sees every table as a view, and may write only to the staging folder."""
        con = duckdb.connect(
            config={
                "memory_limit": self.memory_limit,
                "autoinstall_known_extensions": "false",
                "threads": "2",
            }
        )
        try:
            self.layout.staging.mkdir(parents=True, exist_ok=True)
            con.execute("set timezone = 'UTC'")
            con.execute(f"set temp_directory = '{quoted(self.layout.staging / 'spill')}'")
            con.execute("set preserve_insertion_order = true")
            con.execute("set enable_progress_bar = false")
            con.execute("set parquet_metadata_cache = true")
            for statement in self._definitions():
                con.execute(statement)
            yield con
        finally:
            con.close()

    def query(self, sql: str, params: object = None) -> list[dict[str, Any]]:
        """The rows of one query as dicts."""
        with self.duck() as con:
            done = con.execute(sql, params) if params else con.execute(sql)
            names = [column[0] for column in done.description]
            return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    @contextmanager
    def ask(self) -> Iterator[Callable[[str], Answer]]:
        """For questions from outside: reads the lake and nothing else, and can change no setting.

        Raises (when called):
            QueryError: the query is wrong; the message is DuckDB's.
        """
        with self.duck() as con:
            yield questions.locked(con, self.layout.files.resolve())

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

    # Writing

    def pieces(self, table: str, label: str) -> Iterator[pa.Table]:
        """The rows of a label, a row group at a time."""
        for file in self.files(table, [label]):
            yield from parquet.pieces(self.verify(file).path, BY_NAME[table])

    def stage_pieces(self, table: str, label: str, pieces: Iterable[pa.Table], inputs: str = "") -> Staged:
        """Writes a file as ``stage`` does, from pieces in the order given; no more of them than a row group is held."""
        spec = BY_NAME[table]
        return self._write(spec, label, inputs, lambda path: parquet.write_pieces(path, pieces, spec))

    def stage(self, table: str, label: str, frame: pl.DataFrame | pa.Table, inputs: str = "") -> Staged:
        """Writes a file durably, in the order given; it is not visible before ``commit``."""
        spec = BY_NAME[table]
        arrow = frame.to_arrow() if isinstance(frame, pl.DataFrame) else frame
        return self._write(spec, label, inputs, lambda path: parquet.write(path, arrow, spec))

    def stage_query(
        self,
        con: duckdb.DuckDBPyConnection,
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
            options = f"(format parquet, compression zstd, row_group_size {parquet.ROW_GROUP})"
            rows = con.execute(f"{target} {options}", params or []).fetchall()[0][0]
            parquet.check_types(path, spec)
            return rows

        return self._write(spec, label, inputs, write)

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
        commit_id = tx.execute(
            commits.insert(), {"at": at, "stage": stage, "note": note}
        ).inserted_primary_key[0]
        for table, label in sorted(gone):
            tx.execute(
                files_table.update()
                .where(files_table.c.table_name == table, files_table.c.label == label)
                .where(files_table.c.dead_commit_id.is_(None))
                .values(dead_commit_id=commit_id, dead_at=at)
            )
        for s in staged:
            self._enter(tx, s, commit_id)
        return commit_id

    def _enter(self, tx: Connection, s: Staged, commit_id: int) -> None:
        path = s.path.relative_to(self.home).as_posix()
        known = tx.execute(select(files_table.c.file_id).where(files_table.c.path == path)).scalar()
        if known is not None:
            # The same bytes as an earlier file of this label: that file lives again.
            tx.execute(
                files_table.update()
                .where(files_table.c.file_id == known)
                .values(dead_commit_id=None, dead_at=None, commit_id=commit_id, inputs=s.inputs)
            )
            return
        row = {"table_name": s.table, "label": s.label, "path": path, "rows": s.rows, "bytes": s.bytes}
        tx.execute(
            files_table.insert(), row | {"sha256": s.sha256, "inputs": s.inputs, "commit_id": commit_id}
        )

    # Keeping house

    def publish(self, now: datetime) -> None:
        """Brings ``lake/``, ``tollbook.duckdb`` and ``sql/init.sql`` up to the last commit."""
        self.sweep(now)
        definitions = self._definitions()
        text = "-- Made by tollbook: views over the committed files. `duckdb -init sql/init.sql`\n"
        text += "".join(f"{d};\n" for d in definitions)
        target = self.layout.init_sql
        if target.exists() and target.read_text() == text and self.layout.catalog.exists():
            return
        views.write_catalog(self.layout.catalog, self.layout.staging, definitions)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, text)

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

    def _definitions(self) -> list[str]:
        with self.ledger.read() as tx:
            rows = _live(tx, None)
        paths: dict[str, list[Path]] = {}
        for row in rows:
            paths.setdefault(row.table_name, []).append((self.home / row.path).resolve())
        return views.definitions(paths)

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


@cache
def _empty(table: str) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(BY_NAME[table].schema.empty_table()))


def _live(tx: Connection, table: str | None) -> list:
    query = select(files_table).where(files_table.c.dead_commit_id.is_(None))
    if table is not None:
        query = query.where(files_table.c.table_name == table)
    return list(tx.execute(query.order_by(files_table.c.table_name, files_table.c.label)))


__all__ = ["TABLES", "Answer", "DataFile", "Lake", "Staged"]
