"""Tests of a ledger run on both databases where they say so."""

from tests.fixtures.databases import both, database, postgresql, pytest_generate_tests  # noqa: F401
