"""Opens the ledger, keeps its identity and schema version, and hands out transactions.

SQLite is the default because a billing desk fits in a folder; PostgreSQL is taken by URL. Every write runs in one
transaction that takes the write lock when it begins, so two writers never see each other half-way, and every read sees
one moment.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from pipeline.errors import HomeError
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema import SCHEMA_VERSION, meta

_LOCK = 7455  # one writer at a time in a PostgreSQL database
# The low byte of what SQLite says when a file cannot be written; see https://sqlite.org/rescode.html.
_REFUSED = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite ledger at ``path``."""
    return f"sqlite:///{path.resolve()}"


@dataclass(slots=True)
class Ledger:
    """A connection to the ledger's database."""

    engine: Engine

    @classmethod
    def open(cls, url: str) -> "Ledger":
        """Opens, and on first use creates, the ledger at ``url``.

        Raises:
            HomeError: the database cannot be opened or was written by a newer tollbook.
        """
        engine = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
        ledger = cls(engine)
        try:
            ledger._prepare()
        except BaseException as error:
            engine.dispose()
            if isinstance(error, DBAPIError):
                raise HomeError(_unopened(engine, error)) from None
            raise
        return ledger

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: commits on leaving, rolls back on an error.

        Raises:
            HomeError: the disk is full or takes nothing more, or the server does not answer.
        """
        sqlite = self.engine.dialect.name == "sqlite"
        with _told(self.engine), self.engine.connect() as tx:
            # Every later statement sees what was committed before the lock was given.
            tx.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else f"select pg_advisory_xact_lock({_LOCK})")
            try:
                yield tx
            except BaseException:
                tx.rollback()
                raise
            tx.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot."""
        with _told(self.engine), self.engine.connect() as tx:
            if self.engine.dialect.name == "sqlite":
                tx.exec_driver_sql("BEGIN")
            else:
                tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            try:
                yield tx
            finally:
                tx.rollback()

    def close(self) -> None:
        self.engine.dispose()

    def get(self, key: str) -> str | None:
        """A value of the meta table."""
        with self.read() as tx:
            return tx.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    def belongs_to(self, provider_url: str, partner_sid: str) -> None:
        """Binds a new ledger to one provider and partner; refuses any other ever after.

        Raises:
            HomeError: it is bound to another one.
        """
        self.bind("provider_url", provider_url)
        self.bind("partner_sid", partner_sid)

    def bind(self, key: str, value: str) -> None:
        """Notes what this ledger belongs to, the first time; refuses any other ever after.

        Raises:
            HomeError: it belongs to another one.
        """
        known = self.get(key)
        if known is None:
            with self.transaction() as tx:
                tx.execute(meta.insert(), {"key": key, "value": value})
        elif known != value:
            msg = (
                f"this home belongs to {key} {known}, and the settings name {value}. "
                "A ledger serves one provider account: use another home (TOLLBOOK_HOME) for the other."
            )
            raise HomeError(msg)

    def _prepare(self) -> None:
        with self.engine.connect() as probe:
            known = self.engine.dialect.has_table(probe, "meta")
        version = self.get("schema_version") if known else None
        if version is None or int(version) < SCHEMA_VERSION:
            with self.transaction() as tx:
                migrate(tx)
        elif int(version) > SCHEMA_VERSION:
            msg = f"the ledger has schema {version}, this tollbook knows {SCHEMA_VERSION}. Install the newer tollbook."
            raise HomeError(msg)


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """What the disk or the server refuses, said with what to do about it."""
    try:
        yield
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        if engine.dialect.name == "sqlite":
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in _REFUSED:
                raise
            msg = f"cannot write to the ledger {where}: {error.orig}. Make room or give permission, and run again."
        else:
            msg = f"the ledger {where} does not answer: {_reason(error)}. See to its server, and run again."
        raise HomeError(msg) from error


def _unopened(engine: Engine, error: DBAPIError) -> str:
    sqlite = engine.dialect.name == "sqlite"
    advice = "the folder exists and is writable" if sqlite else "the server runs and lets this user in"
    where = engine.url.render_as_string(hide_password=True)
    return f"the ledger {where} cannot be opened: {_reason(error)}. Check that {advice}."


def _reason(error: DBAPIError) -> str:
    """The first line of what the database says; a server's further lines are hints for its own people."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _postgresql(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        return create_engine(parsed, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        msg = f"a ledger on PostgreSQL needs {error.name}: install it with `pip install 'tollbook[postgresql]'`."
        raise HomeError(msg) from None


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        # We begin transactions ourselves; the driver's own implicit BEGIN would be a deferred one.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
