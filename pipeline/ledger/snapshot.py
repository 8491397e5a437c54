"""A copy of the whole ledger as it stands at one instant, while others go on working."""

from pathlib import Path

from pipeline.ledger.ledger import Ledger


def snapshot(ledger: Ledger, target: Path) -> bool:
    """Writes a SQLite ledger into the new file ``target``; False where the ledger is a server's, which has its own
    tool for that (``pg_dump``)."""
    if ledger.engine.dialect.name != "sqlite":
        return False
    target.unlink(missing_ok=True)
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    return True
