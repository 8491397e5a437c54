"""Every test of a ledger runs on SQLite and on PostgreSQL."""

from tests.fixtures.databases import database, postgresql, pytest_generate_tests  # noqa: F401
