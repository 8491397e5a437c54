"""A copy of the whole ledger as it stands at one instant, while others go on working."""

from pathlib import Path

from sqlalchemy.exc import OperationalError

from pipeline.ledger.ledger import Ledger


def snapshot(ledger: Ledger, target: Path) -> bool:
    """Writes a SQLite ledger into the new file ``target``; False where the ledger is a server's, which has its own
    tool for that (``pg_dump``).

    Raises:
        OSError: it cannot be written there.
    """
    if ledger.engine.dialect.name != "sqlite":
        return False
    target.unlink(missing_ok=True)
    target.touch(0o600)
    try:
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    except OperationalError as error:
        raise OSError(0, str(error.orig), str(target)) from error
    return True
