"""Brings the schema of an older ledger up to what ``schema.py`` says.

Releases only ever add: tables, indexes, and columns that older rows can do without. So there is no script per version
that somebody could forget; what is missing is added, in the transaction that also raises the version, and a crash
leaves the older ledger whole. An older tollbook refuses the newer ledger.
"""

from sqlalchemy import Column, Connection, Table, inspect, select
from sqlalchemy.schema import CreateColumn

import pipeline.ledger.alarms
import pipeline.ledger.bounces
import pipeline.ledger.rulings  # noqa: F401  their tables are part of the schema
from pipeline.ledger.schema import SCHEMA_VERSION, meta, metadata

_KEY = "schema_version"


def migrate(tx: Connection) -> None:
    """Creates or completes the schema within a write transaction; repeating it changes nothing."""
    present = set(inspect(tx).get_table_names())
    metadata.create_all(tx, checkfirst=True)
    for table in metadata.sorted_tables:
        if table.name in present:
            _complete(tx, table)
    stated = select(meta.c.value).where(meta.c.key == _KEY)
    if tx.execute(stated).scalar() is None:
        tx.execute(meta.insert(), {"key": _KEY, "value": str(SCHEMA_VERSION)})
    else:
        tx.execute(meta.update().where(meta.c.key == _KEY).values(value=str(SCHEMA_VERSION)))


def _complete(tx: Connection, table: Table) -> None:
    inspector = inspect(tx)
    known = {column["name"] for column in inspector.get_columns(table.name)}
    for column in table.columns:
        if column.name not in known:
            tx.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {_definition(tx, column)}")
    indexed = {index["name"] for index in inspector.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexed:
            index.create(tx)


def _definition(tx: Connection, column: Column) -> str:
    if not column.nullable and column.server_default is None:
        msg = f"{column.table.name}.{column.name} is new: it needs a server_default, or older ledgers cannot take it"
        raise ValueError(msg)
    return str(CreateColumn(column).compile(dialect=tx.dialect))
