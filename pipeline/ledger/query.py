"""Rows of the ledger as plain dicts, for stages that only read them."""

from typing import Any

from sqlalchemy import Connection, Executable

from pipeline.ledger.ledger import Ledger


def rows(ledger: Ledger, statement: Executable) -> list[dict[str, Any]]:
    """All rows of a query, in a snapshot of their own."""
    with ledger.read() as tx:
        return rows_in(tx, statement)


def rows_in(tx: Connection, statement: Executable) -> list[dict[str, Any]]:
    """All rows of a query within a transaction."""
    result = tx.execute(statement)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]
